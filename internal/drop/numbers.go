package drop

import (
	"encoding/binary"
	"errors"
	"iter"
)

// Numbers is a list of reservations or purchases of one drop, by their numbers within the drop. It has the encoding in
// which a store keeps it: runs of consecutive numbers. Each run is two variable-length integers as in protocol buffers.
// The first, signed (zigzag), is the distance of the run's first number from the number after the previous run. The
// second is the run's length less one. The zero value is an empty list.
type Numbers string

// All returns the numbers in their order. It stops at the first byte that it cannot read; see Count.
func (n Numbers) All() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		_ = n.runs(func(first uint32, length int64) bool {
			for i := range length {
				if !yield(first + uint32(i)) {
					return false
				}
			}
			return true
		})
	}
}

var errNumbers = errors.New("damaged list of numbers")

// Count returns how many numbers there are, or an error if this program has not written the list.
func (n Numbers) Count() (count int64, err error) {
	err = n.runs(func(_ uint32, length int64) bool {
		count += length
		return true
	})
	return count, err
}

func (n Numbers) runs(each func(first uint32, length int64) bool) error {
	b, next := []byte(n), int64(0)
	for len(b) > 0 {
		step, size := binary.Varint(b)
		if size <= 0 {
			return errNumbers
		}
		b = b[size:]
		more, size := binary.Uvarint(b)
		if size <= 0 {
			return errNumbers
		}
		b = b[size:]
		first := next + step
		if first < 1 || first > maxNumber || more > maxNumber || first+int64(more) > maxNumber {
			return errNumbers
		}
		next = first + int64(more) + 1
		if !each(uint32(first), int64(more)+1) {
			return nil
		}
	}
	return nil
}

const maxNumber = 1<<32 - 1

// numbering builds a list of numbers. The zero value is empty.
type numbering struct {
	runs        []byte
	next        int64 // the number after the last complete run
	first, last int64 // of the run under way; 0: there is none
}

func (n *numbering) add(number uint32) {
	i := int64(number)
	if n.first == 0 {
		n.first, n.last = i, i
		return
	}
	if i == n.last+1 {
		n.last = i
		return
	}
	n.flush()
	n.first, n.last = i, i
}

func (n *numbering) flush() {
	n.runs = binary.AppendVarint(n.runs, n.first-n.next)
	n.runs = binary.AppendUvarint(n.runs, uint64(n.last-n.first))
	n.next, n.first = n.last+1, 0
}

func (n *numbering) list() Numbers {
	if n.first != 0 {
		n.flush()
	}
	return Numbers(n.runs)
}

// NumbersOf returns a list of numbers.
func NumbersOf(numbers ...uint32) Numbers {
	var n numbering
	for _, number := range numbers {
		n.add(number)
	}
	return n.list()
}
