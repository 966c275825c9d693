package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// pipelineTimeout bounds a pipeline whose context has no deadline.
const pipelineTimeout = 30 * time.Second

// begin takes a connection and sends the first round trip.
func (s *Store) begin(ctx context.Context, turn *turn, batches ...*loader) (*transaction, error) {
	t := &transaction{batches: batches, turn: turn, end: func() {}}
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, s.fail("connect for "+t.drops(), err)
	}
	defer func() {
		if t.conn == nil { // Needs has panicked
			conn.Release()
		}
	}()
	for _, l := range batches {
		l.need = l.batch.Needs()
		l.bound = s.bounds.get(l.batch.Of())
	}
	t.conn = conn
	t.results = conn.SendBatch(ctx, s.queueLoad(t))
	return t, nil
}

// commitAndBegin sends what a batch has changed with COMMIT and, behind it, the first round trip of the next batch, in one go: the server begins it
// the moment the COMMIT is through. A Sync stands between them: what comes after cannot touch the COMMIT, and its answer does not
// wait for the next lock. The next batch has the connection and the turn from then on, if the commit succeeded.
func (s *Store) commitAndBegin(ctx context.Context, t *transaction, out *pgx.Batch, next store.Batch) error {
	conn, op := t.conn, "commit "+t.drops()
	following := &transaction{conn: conn, batches: []*loader{newLoader(next)}, turn: t.turn}
	following.batches[0].need, following.batches[0].bound = next.Needs(), t.batches[0].nextBound
	load := s.queueLoad(following)
	out.Queue(runBatchCommit)
	committing, err := prepare(ctx, conn.Conn(), out)
	var loading *pipelined
	if err == nil {
		loading, err = prepare(ctx, conn.Conn(), load)
	}
	if err != nil {
		rollback(ctx, conn.Conn())
		return s.fail(op, err)
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(pipelineTimeout)
	}
	// It outlives the commit: the next batch reads from it.
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	p := conn.Conn().PgConn().StartPipeline(ctx)
	following.results, following.end = loading, func() {
		_ = p.Close() // a connection that cannot be brought back in step is closed by it
		cancel()
	}
	if err = committing.send(p); err != nil {
		err = s.fail(op, err) // the COMMIT is not on its way
	} else if err = flush(p, loading); err != nil {
		err = s.failAs(op, classifyCommit(err, false), err)
	} else {
		err = s.readCommit(conn.Conn(), committing, out.Len(), op)
	}
	if err != nil {
		following.end()
		rollback(ctx, conn.Conn())
		return err
	}
	t.turn.renew()
	next.Begin(following)
	t.turn = nil
	return nil
}

// Behind implements store.Begun.
func (t *transaction) Behind() drop.ID { return t.batches[0].batch.Of() }

// flush sends what is left of a pipeline, and last a batch.
func flush(p *pgconn.Pipeline, last *pipelined) error {
	if err := last.send(p); err != nil {
		return err
	}
	return p.Flush()
}

// prepare has all statements of a batch prepared on the connection.
func prepare(ctx context.Context, conn *pgx.Conn, b *pgx.Batch) (*pipelined, error) {
	p := &pipelined{conn: conn, batch: b, statements: make([]*pgconn.StatementDescription, len(b.QueuedQueries))}
	for i, q := range b.QueuedQueries {
		var err error
		if p.statements[i], err = conn.Prepare(ctx, q.SQL, q.SQL); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// pipelined is one batch of a pipeline that has others, with a Sync of its own. It reads like a batch that was sent alone.
type pipelined struct {
	conn       *pgx.Conn
	pipeline   *pgconn.Pipeline
	batch      *pgx.Batch
	statements []*pgconn.StatementDescription // of the batch, prepared
	read       int                            // statements whose answers were read
	err        error
}

var _ pgx.BatchResults = (*pipelined)(nil)

// earlyBytes is after how much of a batch what there is of it goes out: the server begins with it while the rest is encoded.
const earlyBytes = 8 << 10

// send adds the batch to a pipeline. Its last statement, which may be a COMMIT, does not go out before the pipeline is flushed.
func (p *pipelined) send(to *pgconn.Pipeline) error {
	p.pipeline = to
	sent := 0
	for i, q := range p.batch.QueuedQueries {
		if sent > earlyBytes {
			if err := to.Flush(); err != nil {
				return err
			}
			sent = 0
		}
		var build pgx.ExtendedQueryBuilder // the pipeline keeps the formats
		sd := p.statements[i]
		if err := build.Build(p.conn.TypeMap(), sd, q.Arguments); err != nil {
			return err
		}
		p.pipeline.SendQueryStatement(sd, build.ParamValues, build.ParamFormats, build.ResultFormats)
		for _, v := range build.ParamValues {
			sent += len(v)
		}
	}
	p.pipeline.SendPipelineSync()
	return nil
}

func (p *pipelined) next() (*pgconn.ResultReader, error) {
	if p.err != nil {
		return nil, p.err
	}
	p.read++
	var results any
	if results, p.err = p.pipeline.GetResults(); p.err != nil {
		return nil, p.err
	}
	reader, ok := results.(*pgconn.ResultReader)
	if !ok {
		p.err = fmt.Errorf("an answer to statement %d was expected, and %T came", p.read, results)
	}
	return reader, p.err
}

// Exec implements pgx.BatchResults.
func (p *pipelined) Exec() (pgconn.CommandTag, error) {
	reader, err := p.next()
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	var tag pgconn.CommandTag
	tag, p.err = reader.Close()
	return tag, p.err
}

// Query implements pgx.BatchResults.
func (p *pipelined) Query() (pgx.Rows, error) {
	reader, err := p.next()
	if err != nil {
		return failedRows{err: err}, err
	}
	return pgx.RowsFromResultReader(p.conn.TypeMap(), reader), nil
}

// QueryRow implements pgx.BatchResults; nothing here asks for one.
func (p *pipelined) QueryRow() pgx.Row { panic("not used") }

// Tx implements pgx.BatchResults: BEGIN is a statement like others here.
func (p *pipelined) Tx() pgx.Tx { return nil }

// Close reads what is left of the batch's answers, and its Sync.
func (p *pipelined) Close() error {
	for p.err == nil && p.read < len(p.batch.QueuedQueries) {
		if read := p.batch.QueuedQueries[p.read].Fn; read != nil {
			if err := read(p); p.err == nil {
				p.err = err
			}
		} else {
			_, p.err = p.Exec()
		}
	}
	if p.err == nil {
		var results any
		if results, p.err = p.pipeline.GetResults(); p.err == nil {
			if _, ok := results.(*pgconn.PipelineSync); !ok {
				p.err = fmt.Errorf("the end of a batch was expected, and %T came", results)
			}
		}
	}
	return p.err
}

// failedRows are the rows of a statement that failed.
type failedRows struct {
	pgx.Rows

	err error
}

func (r failedRows) Close()                        {}
func (r failedRows) Err() error                    { return r.err }
func (r failedRows) Next() bool                    { return false }
func (r failedRows) CommandTag() pgconn.CommandTag { return pgconn.CommandTag{} }
