package storetest

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

var userTests = []test{
	{"EnsureUser_ByEmailWhateverTheCase", ensureByEmail},
	{"EnsureUser_TwoEmailsAreTwoBuyers", ensureTwoEmails},
	{"EnsureUser_OneBuyerOfAllSpellings", ensureSpellings},
	{"EnsureUser_RefusesWhatHides", ensureRefuses},
	{"EnsureUser_FindsBuyersKeptAsTheyTyped", ensureAsTyped},
	{"EnsureUser_ByName", ensureByName},
	{"EnsureUser_LowestNumberOfAName", ensureLowestNumber},
	{"EnsureUser_NamesANewBuyerAfterTheEmail", ensureNamesAfterEmail},
	{"EnsureUser_OddNames", ensureOddNames},
	{"EnsureUser_AtOnceGivesOneNumber", ensureAtOnce},
	{"User_UnknownIsRefused", unknownUser},
	{"Users_KnownOnesInTheirOrder", usersByNumber},
	{"NewestUsers_ByPages", newestUsersByPages},
	{"Reservations_NewestFirstOverAllDrops", reservationsNewestFirst},
	{"Reservations_OverByTheClockAreExpired", reservationsOverAreExpired},
}

func (f *fixture) ensure(username, email string) drop.User {
	f.Helper()
	if err := drop.CheckUser(username, email); err != nil {
		f.Fatalf("the test's own user %q %q: %v", username, email, err)
	}
	u, _, err := f.EnsureUser(f.ctx, username, email, drop.Key{})
	if err != nil {
		f.Fatalf("EnsureUser(%q, %q): %v", username, email, err)
	}
	if u.ID < drop.FirstAllocatedUser || u.ID > drop.MaxSafeInteger {
		f.Errorf("EnsureUser(%q, %q): number %d is not one of ours", username, email, u.ID)
	}
	if got, err := f.User(f.ctx, u.ID); err != nil || got != u {
		f.Errorf("User(%d): %+v, %v; want %+v", u.ID, got, err, u)
	}
	return u
}

func newestUsersByPages(f *fixture) {
	if page, err := f.NewestUsers(f.ctx, 0, 10); err != nil || len(page) != 0 {
		f.Fatalf("NewestUsers of an empty store: %v, %v", page, err)
	}
	var want []drop.User
	for i := range 12 {
		email := ""
		if i%2 == 0 {
			email = strconv.Itoa(i) + "@example.com"
		}
		want = append([]drop.User{f.ensure("buyer "+strconv.Itoa(i), email)}, want...)
	}
	for _, limit := range limits(len(want)) {
		var got []drop.User
		for before := drop.UserID(0); ; {
			page, err := f.NewestUsers(f.ctx, before, limit)
			if err != nil || len(page) > limit {
				f.Fatalf("NewestUsers before %d, at most %d: %d, %v", before, limit, len(page), err)
			}
			if len(page) == 0 || len(got) > len(want) {
				break
			}
			got = append(got, page...)
			before = page[len(page)-1].ID
		}
		equal(f, "all pages", got, want)
	}
}

func ensureByEmail(f *fixture) {
	ann := f.ensure("Ann", "Ann.ü@Example.COM")
	equal(f, "a new buyer", ann, drop.User{ID: ann.ID, Username: "Ann", Email: "ann.ü@example.com"})
	equal(f, "the same email", f.ensure("Ann", "Ann.ü@Example.COM"), ann)
	equal(f, "in another case", f.ensure("", "ANN.ü@EXAMPLE.com"), ann)
	equal(f, "with another name", f.ensure("Bob", "ann.ü@example.com"), ann)
	other := f.ensure("Ann", "ann@example.com")
	if other.ID == ann.ID {
		f.Error("another email gave the same buyer")
	}
	equal(f, "the other", other, drop.User{ID: other.ID, Username: "Ann", Email: "ann@example.com"})
}

func ensureByName(f *fixture) {
	bob := f.ensure("Bob", "")
	equal(f, "a new buyer", bob, drop.User{ID: bob.ID, Username: "Bob"})
	equal(f, "again", f.ensure("Bob", ""), bob)
	if f.ensure("bob", "").ID == bob.ID {
		f.Error("a name in another case gave the same buyer")
	}
	withEmail := f.ensure("Bob", "bob@example.com")
	if withEmail.ID == bob.ID {
		f.Error("an email never seen gave a buyer without one")
	}
	eve := f.ensure("Eve", "eve@example.com")
	equal(f, "a name known with an email", f.ensure("Eve", ""), eve)
	if dora := f.ensure("Dora", ""); dora.ID == bob.ID || dora.ID == eve.ID {
		f.Error("a new name got a number that is taken")
	}
}

func ensureLowestNumber(f *fixture) {
	a, b, c := f.ensure("Bob", "a@example.com"), f.ensure("Bob", "b@example.com"), f.ensure("Bob", "c@example.com")
	lowest := slices.MinFunc([]drop.User{a, b, c}, func(x, y drop.User) int { return cmp.Compare(x.ID, y.ID) })
	equal(f, "by name", f.ensure("Bob", ""), lowest)
}

func ensureNamesAfterEmail(f *fixture) {
	equal(f, "name", f.ensure("", "carol.k+shoes@example.com").Username, "carol.k+shoes")
	equal(f, "by that name", f.ensure("carol.k+shoes", "").Email, "carol.k+shoes@example.com")
}

func ensureOddNames(f *fixture) {
	long := strings.Repeat("👟", drop.MaxUsername)
	email := strings.Repeat("e", drop.MaxEmail-len("@example.com")) + "@example.com"
	equal(f, "the longest", f.ensure(long, email).Username, long)
	equal(f, "the longest by email", f.ensure("", email).Username, long)
	for _, name := range []string{`'; --`, `%`, `_`, `"`, `\`, "a@b", "é", "NULL", "null", "0"} {
		u := f.ensure(name, "")
		equal(f, "name", u.Username, name)
		equal(f, "again", f.ensure(name, ""), u)
	}
}

// ensureTwoEmails has addresses that Unicode case folding would make equal.
func ensureTwoEmails(f *fixture) {
	people := make(map[drop.UserID]string)
	for _, email := range []string{
		"mik@example.com", "m\u0130k@example.com", "mi\u212a@example.com", "m\u0131k@example.com", "ｍik@example.com", "\u017fam@example.com", "sam@example.com",
		"änn@example.com", "Änn@example.com", "a@exämple.com", "a@EXÄMPLE.com", "straße@example.com", "stra\u1e9ee@example.com", "\u212b@example.com", "å@example.com",
	} {
		u := f.ensure("Mik", email)
		if was, taken := people[u.ID]; taken {
			f.Errorf("%+q is the buyer of %+q", email, was)
		}
		people[u.ID] = email
	}
	for id, email := range people {
		equal(f, "again", f.ensure("", email).ID, id)
	}
}

func ensureSpellings(f *fixture) {
	nika, jose := f.ensure("nika", ""), f.ensure("José", "jos\u00e9@example.com")
	equal(f, "name", jose.Username, "José")
	for _, name := range []string{"nika ", " nika", "nika\u00a0", "\u3000nika", "ｎｉｋａ", "\tnika\r\n"} {
		equal(f, "nika", f.ensure(name, ""), nika)
	}
	for _, name := range []string{"José", "Jose\u0301", " Jose\u0301\u2003"} {
		equal(f, "José", f.ensure(name, ""), jose)
	}
	for _, email := range []string{"jose\u0301@example.com", " jos\u00e9@EXAMPLE.com "} {
		equal(f, "José by email", f.ensure("", email), jose)
	}
	equal(f, "a new one in another spelling", f.ensure(" Ann\u00a0 Smith ", "").Username, "Ann Smith")
}

func ensureRefuses(f *fixture) {
	for _, who := range [][2]string{{"\u200b", ""}, {"nika\u200b", ""}, {"\u202eAnn", ""}, {"\uffff", ""}, {"Ann", "a\u200bnn@example.com"}, {"a\x00", ""}, {"", ""}} {
		for _, key := range []drop.Key{{}, keyOf("k")} {
			_, _, err := f.EnsureUser(f.ctx, who[0], who[1], key)
			refused(f, "EnsureUser", err, drop.CodeInvalid)
		}
	}
	if _, _, err := f.EnsureUser(f.ctx, "Ann", "", keyOf("k")); err != nil {
		f.Errorf("the key of a refusal: %v", err)
	}
}

// ensureAsTyped has buyers from before names and emails had a normal form. Each is still found by what was typed.
func ensureAsTyped(f *fixture) {
	before := []drop.User{
		{ID: 1, Username: "nika "},
		{ID: 2, Username: "nika"},
		{ID: 3, Username: "ｚｏｅ"},
		{ID: 4, Username: "ni\u200bka"},
		{ID: 5, Username: "José", Email: "jose\u0301@example.com"},
		{ID: 6, Username: "Än", Email: "än@example.com"},
		{ID: 7, Username: "a", Email: "a\u200bb@example.com"},
	}
	if err := store.Fill(f.ctx, f, before, nil, false); err != nil {
		f.Fatalf("Fill: %v", err)
	}
	for i, c := range []struct {
		username, email string
		want            drop.UserID
	}{
		{"nika ", "", 1},
		{"nika", "", 2},
		{"nika\u00a0", "", 2},
		{"ｚｏｅ", "", 3},
		{"ni\u200bka", "", 4},
		{"", "jose\u0301@example.com", 5},
		{"José", "Jose\u0301@EXAMPLE.com", 5},
		{"", "än@example.com", 6},
		{"x", "A\u200bB@example.com", 7},
	} {
		for _, key := range []drop.Key{{}, keyOf(strconv.Itoa(i))} {
			u, _, err := f.EnsureUser(f.ctx, c.username, c.email, key)
			if err != nil || u.ID != c.want {
				f.Errorf("%+q %+q: %+v, %v; want number %d", c.username, c.email, u, err, c.want)
			}
		}
	}
	if zoe := f.ensure("zoe", ""); zoe.ID == 3 {
		f.Error("a buyer of before is found by what was not typed")
	}
	if other := f.ensure("Än", "Än@example.com"); other.ID == 6 { // nobody knows whose that was
		f.Error("two people are one")
	}
}

func ensureAtOnce(f *fixture) {
	for _, who := range []struct{ name, email string }{{"Zoe", "zoe@example.com"}, {"", "yan@example.com"}, {"Xi", ""}} {
		const n = 50
		ids := make([]drop.UserID, n)
		all(n, func(i int) {
			email := who.email
			if i%2 == 1 {
				email = strings.ToUpper(email)
			}
			u, _, err := f.EnsureUser(f.ctx, who.name, email, drop.Key{})
			if err != nil {
				f.Errorf("EnsureUser: %v", err)
			}
			ids[i] = u.ID
		})
		slices.Sort(ids)
		if distinct := slices.Compact(ids); len(distinct) != 1 {
			f.Errorf("%+v: numbers %v, want one", who, distinct)
		}
	}
}

func unknownUser(f *fixture) {
	f.ensure("Bob", "")
	for _, id := range []drop.UserID{0, -1, 1, drop.FirstAllocatedUser + 1000, drop.MaxSafeInteger, math.MaxInt64} {
		_, err := f.User(f.ctx, id)
		refused(f, "User", err, drop.CodeUserNotFound)
	}
}

func usersByNumber(f *fixture) {
	ann, bob, cid := f.ensure("Ann", "ann@example.com"), f.ensure("Bob", ""), f.ensure("Cid", "")
	got, err := f.Users(f.ctx, []drop.UserID{cid.ID, 1, ann.ID, 0, drop.MaxSafeInteger, bob.ID})
	if err != nil {
		f.Fatalf("Users: %v", err)
	}
	equal(f, "Users", got, []drop.User{cid, ann, bob})
	if got, err := f.Users(f.ctx, nil); err != nil || len(got) != 0 {
		f.Errorf("Users without numbers: %v, %v", got, err)
	}
}

func reservationsNewestFirst(f *fixture) {
	a, b, c := f.create(plain(99)), f.create(sized(99, "1")), f.create(plain(99))
	var want []drop.Reservation
	for i := range drop.Time(12) {
		reserve := drop.Reserve{User: 5, Hold: never}
		id := []drop.ID{c, a, b}[i%3]
		if id == b {
			reserve.Size = "1"
		}
		want = append(want, f.reserve(id, base+i, reserve))
		reserve.User = 6
		f.reserve(id, base+i, reserve)
	}
	// Made in one batch, at one moment: the higher number is newer.
	twins := f.run(a, base+100, drop.Reserve{User: 5, Hold: never}, drop.Reserve{User: 5, Hold: never - time.Hour})
	want = append(want, twins[0].Reservation, twins[1].Reservation)
	slices.Reverse(want)
	for _, limit := range []int{1, 5, 14, 15, 1000} {
		got, err := f.Reservations(f.ctx, 5, limit)
		if err != nil {
			f.Fatalf("Reservations: %v", err)
		}
		equal(f, "Reservations", got, want[:min(limit, len(want))])
	}
	equal(f, "of nobody", len(f.reservations(7)), 0)
}

func reservationsOverAreExpired(f *fixture) {
	id := f.create(plain(9))
	over := f.reserve(id, base, drop.Reserve{User: 5})
	live := f.reserve(id, base+1, drop.Reserve{User: 5, Hold: never})
	got := f.reservations(5)
	if len(got) != 2 {
		f.Fatalf("%d reservations, want 2", len(got))
	}
	equal(f, "the live one", got[0], live)
	over.Status, over.EndedAt = drop.Expired, got[1].EndedAt // nothing is promised about a moment that no batch recorded
	equal(f, "the one that is over", got[1], over)
	equal(f, "the stock, which only a batch changes", f.snapshot(id).Drop.Sizes[0].Stock, drop.Stock{Total: 9, Available: 7, Held: 2})
}
