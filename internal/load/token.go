package load

// mostSigned bounds the tokens that are signed before a run begins, in some 130 MB.
const mostSigned = 500_000

// signed are the tokens of the first buyers, one behind the other: nothing that the garbage collector looks into.
type signed struct {
	buyer func(int64) string
	text  []byte
	ends  []uint32 // ends[n] is where that of buyer n ends
}

// sign has the tokens of the first n buyers made, so that making them is no part of the load.
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

// of returns a buyer's token; nil: buyers have none.
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
