package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// flush sends what is left of a pipeline, after adding last.
func flush(p *pgconn.Pipeline, last *pipelined) error {
	if err := last.send(p); err != nil {
		return err
	}
	return p.Flush()
}

// prepare prepares all statements of a batch on the connection.
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

// pipelined is one batch in a pipeline with others. It has its own Sync, and reads like a batch that was sent alone.
type pipelined struct {
	conn       *pgx.Conn
	pipeline   *pgconn.Pipeline
	batch      *pgx.Batch
	statements []*pgconn.StatementDescription // the prepared statements of the batch
	read       int                            // number of statements whose answers were read
	err        error
}

var _ pgx.BatchResults = (*pipelined)(nil)

// earlyBytes is how much of a batch is collected before it is sent. The server begins with it while the rest is
// encoded.
const earlyBytes = 8 << 10

// send adds the batch to a pipeline. Its last statement, which may be a COMMIT, is not sent before the pipeline is
// flushed.
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
		p.err = fmt.Errorf("expected an answer to statement %d, got %T", p.read, results)
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

// QueryRow implements pgx.BatchResults. Nothing here uses it.
func (p *pipelined) QueryRow() pgx.Row { panic("not used") }

// Tx implements pgx.BatchResults. Here BEGIN is an ordinary statement.
func (p *pipelined) Tx() pgx.Tx { return nil }

// Close reads the rest of the batch's answers, and its Sync.
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
				p.err = fmt.Errorf("expected the end of a batch, got %T", results)
			}
		}
	}
	return p.err
}

// failedRows are the rows of a failed statement.
type failedRows struct {
	pgx.Rows

	err error
}

func (r failedRows) Close()                        {}
func (r failedRows) Err() error                    { return r.err }
func (r failedRows) Next() bool                    { return false }
func (r failedRows) CommandTag() pgconn.CommandTag { return pgconn.CommandTag{} }
