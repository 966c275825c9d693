package load

// mostSigned is the most tokens that are signed before a run, in about 130 MB.
const mostSigned = 500_000

// signed has the tokens of the first buyers in one slice, which the garbage collector need not scan.
type signed struct {
	buyer func(int64) string
	text  []byte
	ends  []uint32 // ends[n] is where the token of buyer n ends
}

// sign makes the tokens of the first n buyers, so that making them is not part of the load.
func sign(buyer func(int64) string, n int) *signed {
	s := &signed{buyer: buyer, ends: make([]uint32, 1, n+1)}
	if buyer == nil {
		return s
	}
	for i := range min(n, mostSigned) {
		s.text = append(s.text, buyer(int64(i+1))...)
		s.ends = append(s.ends, uint32(len(s.text)))
	}
	return s
}

// of returns a buyer's token, or nil if buyers have none.
func (s *signed) of(buyer int64) []byte {
	switch {
	case s.buyer == nil:
		return nil
	case buyer < int64(len(s.ends)):
		return s.text[s.ends[buyer-1]:s.ends[buyer]]
	default:
		return []byte(s.buyer(buyer))
	}
}
