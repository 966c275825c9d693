package storetest

import (
	"strconv"
	"strings"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

var subjectTests = []test{
	{"EnsureSubjects_OneUserEach", ensureSubjectsOnce},
	{"EnsureSubjects_NoUserByNameOrEmail", ensureSubjectsByThemselves},
	{"EnsureSubjects_TakesNewNames", ensureSubjectsRenames},
	{"EnsureSubjects_KeepsPublicNames", ensureSubjectsPublicNames},
	{"EnsureSubjects_InTheirOrderAndTwice", ensureSubjectsInOrder},
	{"EnsureSubjects_AtOnceGivesOneNumberEach", ensureSubjectsAtOnce},
	{"EnsureSubjects_OddTexts", ensureSubjectsOdd},
	{"EnsureSubjects_AfterFill", ensureSubjectsAfterFill},
}

func (f *fixture) subjects(subjects ...drop.Subject) []drop.User {
	f.Helper()
	users, err := f.EnsureSubjects(f.ctx, subjects)
	if err != nil {
		f.Fatalf("EnsureSubjects: %v", err)
	}
	if len(users) != len(subjects) {
		f.Fatalf("EnsureSubjects: %d users of %d subjects", len(users), len(subjects))
	}
	for i, u := range users {
		if u.ID < drop.FirstAllocatedUser || u.ID > drop.MaxSafeInteger {
			f.Errorf("EnsureSubjects: number %d is not one of ours", u.ID)
		}
		if got, err := f.User(f.ctx, u.ID); err != nil || got.ID != u.ID {
			f.Errorf("User(%d): %+v, %v; want that of %+v", u.ID, got, err, subjects[i])
		}
	}
	return users
}

func subject(issuer, name string) drop.Subject {
	return drop.Subject{Issuer: issuer, Subject: name, Username: "Ann", Email: "ann@example.com"}
}

func ensureSubjectsOnce(f *fixture) {
	equal(f, "of nobody", len(f.subjects()), 0)
	ann := f.subjects(subject("https://id", "1"))[0]
	equal(f, "a new user", ann, drop.User{ID: ann.ID, Username: "Ann", Email: "ann@example.com"})
	equal(f, "again", f.subjects(subject("https://id", "1"))[0], ann)
	seen := map[drop.UserID]bool{ann.ID: true}
	for _, other := range []drop.Subject{
		subject("https://id", "2"), subject("https://id/", "1"), subject("HTTPS://ID", "1"), subject("https://id", "1 "), subject("https://id1", ""),
	} {
		id := f.subjects(other)[0].ID
		if seen[id] {
			f.Errorf("%+v got the number of another", other)
		}
		seen[id] = true
	}
	numbered := subject("https://id", "1")
	numbered.Number = 5
	equal(f, "with a number", f.subjects(numbered)[0], ann)
}

func ensureSubjectsByThemselves(f *fixture) {
	byEmail, byName := f.ensure("Ann", "ann@example.com"), f.ensure("Ann B", "")
	named := subject("https://id", "2")
	named.Username, named.Email = "Ann B", ""
	users := f.subjects(subject("https://id", "1"), named, subject("https://id", "3"))
	ids := map[drop.UserID]bool{byEmail.ID: true, byName.ID: true}
	for _, u := range users {
		ids[u.ID] = true
	}
	equal(f, "people", len(ids), 5)
	equal(f, "by email", f.ensure("", "ann@example.com"), byEmail)
	equal(f, "by name", f.ensure("Ann B", ""), byName)
	only := subject("https://id", "4")
	only.Username, only.Email = "Only", "only@example.com"
	signedIn := f.subjects(only)[0]
	if f.ensure("Only", "").ID == signedIn.ID || f.ensure("", "only@example.com").ID == signedIn.ID {
		f.Error("a name or an email found a user who signs in")
	}
}

func ensureSubjectsRenames(f *fixture) {
	was := f.subjects(subject("https://id", "1"), subject("https://id", "2"))
	now := subject("https://id", "1")
	now.Username, now.Email = "Ann Smith", "Ann.Smith@Example.com"
	got := f.subjects(subject("https://id", "2"), now)
	equal(f, "the other", got[0], was[1])
	want := drop.User{ID: was[0].ID, Username: "Ann Smith", Email: "ann.smith@example.com"}
	equal(f, "the one", got[1], want)
	u, err := f.User(f.ctx, want.ID)
	if err != nil || u != want {
		f.Errorf("User: %+v, %v; want %+v", u, err, want)
	}
	now.Email = ""
	equal(f, "without an email", f.subjects(now)[0], drop.User{ID: want.ID, Username: "Ann Smith"})
}

// ensureSubjectsPublicNames has one buyer who buys with each public name, and without one. Everybody sees the newest
// one.
func ensureSubjectsPublicNames(f *fixture) {
	other := subject("https://id", "2")
	other.PublicName = "太郎 山."
	first := f.subjects(other)[0]
	id, s := f.create(plain(20)), subject("https://id", "1")
	for i, public := range []string{"", "Ann S.", "Ann S.", "Ann", strings.Repeat("👟", drop.MaxUsername), ""} {
		s.PublicName = public
		u := f.subjects(s)[0]
		want := drop.User{ID: u.ID, Username: "Ann", Email: "ann@example.com", PublicName: public}
		equal(f, "the user", u, want)
		if again, err := f.User(f.ctx, u.ID); err != nil || again != want {
			f.Errorf("User: %+v, %v; want %+v", again, err, want)
		}
		equal(f, "the other", f.subjects(other)[0], first)
		theirs, hers := f.reserve(id, base, drop.Reserve{User: first.ID}), f.reserve(id, base, drop.Reserve{User: u.ID})
		if i%2 == 0 {
			f.buy(theirs, base+1)
		}
		bought := f.buy(hers, base+1)
		sold := drop.Recent{ID: bought.ID, Username: "Ann", PublicName: public, CreatedAt: base + 1}
		equal(f, "as read", f.snapshot(id).Recent[0], sold)
		equal(f, "under the lock", f.load(id, drop.Need{Recent: true}).Recent[0], sold)
	}
}

func ensureSubjectsInOrder(f *fixture) {
	var many []drop.Subject
	for i := range 700 {
		s := subject("https://id", strconv.Itoa(i*7919%700))
		s.Username = "Ann " + s.Subject
		many = append(many, s)
	}
	first := f.subjects(many...)
	twin := many[3]
	twin.Username = "Somebody else"
	again := f.subjects(append(many, twin, subject("https://id", "new"), subject("https://id", "new"))...)
	equal(f, "the same again", again[:700], first)
	equal(f, "one named twice", again[700], first[3])
	equal(f, "a new one named twice", again[701], again[702])
	for i, u := range first {
		if u.Username != many[i].Username {
			f.Fatalf("place %d: %+v, want %+v", i, u, many[i])
		}
	}
}

func ensureSubjectsAtOnce(f *fixture) {
	const n, people = 24, 40
	got := make([][]drop.User, n)
	all(n, func(i int) {
		var list []drop.Subject
		for k := range people { // each in a different order
			list = append(list, subject("https://id", strconv.Itoa((k*7+i*13)%people)))
		}
		users, err := f.EnsureSubjects(f.ctx, list)
		if err != nil {
			f.Errorf("EnsureSubjects: %v", err)
			return
		}
		got[i] = make([]drop.User, people)
		for k, u := range users {
			got[i][(k*7+i*13)%people] = u
		}
	})
	for i := range got {
		equal(f, "users", got[i], got[0])
	}
}

func ensureSubjectsOdd(f *fixture) {
	seen := make(map[drop.UserID]bool)
	for i, text := range []string{"auth0|5f7c8ec7c33c6c004bbafe82", `'; --`, "%", "é", "e\u0301", strings.Repeat("s", 255), strings.Repeat("ü", 127), "NULL"} {
		s := drop.Subject{Issuer: text, Subject: text, Username: strings.Repeat("👟", drop.MaxUsername), Email: ""}
		u := f.subjects(s)[0]
		equal(f, "again", f.subjects(s)[0], u)
		if seen[u.ID] {
			f.Errorf("text %d: a user of before", i)
		}
		seen[u.ID] = true
	}
}

func ensureSubjectsAfterFill(f *fixture) {
	f.subjects(subject("https://id", "1"))
	if err := store.Fill(f.ctx, f, []drop.User{{ID: drop.FirstAllocatedUser + 50, Username: "Zoe", Email: "ann@example.com"}}, nil, true); err != nil {
		f.Fatalf("Fill: %v", err)
	}
	if u := f.subjects(subject("https://id", "1"))[0]; u.ID <= drop.FirstAllocatedUser+50 {
		f.Errorf("number %d after a fill up to %d", u.ID, drop.FirstAllocatedUser+50)
	}
}
