package drop

// Subject is a buyer as an identity provider names it: who signs in, and what its token tells of them.
type Subject struct {
	// Issuer and Subject together name one person, for ever.
	Issuer, Subject string
	// Number is the shop's own number of the buyer, below FirstAllocatedUser; 0: none was told.
	Number UserID
	// Username and Email are what is shown, and may change. They never say who somebody is.
	Username, Email string
}
