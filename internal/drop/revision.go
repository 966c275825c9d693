package drop

import (
	"encoding/json"
	"fmt"
)

// Revision is a drop's settings from one of its versions on: as it was created, or after a batch that changed them.
type Revision struct {
	Version int64
	// Seq is the newest ledger entry of the version.
	Seq Seq
	At  Time
	// Settings are what EncodeSettings returns.
	Settings string
}

// Change names a setting that a batch changed.
type Change string

// The settings of a drop. The names are stored and sent to clients; do not change them.
const (
	ChangedName            Change = "name"
	ChangedPrice           Change = "price"
	ChangedStartTime       Change = "start_time"
	ChangedImageURL        Change = "image_url"
	ChangedLimitPerUser    Change = "limit_per_user"
	ChangedMaxExpiredHolds Change = "max_expired_holds"
	ChangedWaitlist        Change = "waitlist"
	ChangedOfferFor        Change = "offer_for"
	ChangedMaxWaiting      Change = "max_waiting"
	ChangedOffersCount     Change = "offers_count"
	ChangedPaused          Change = "paused"
	ChangedHidden          Change = "hidden"
	ChangedArchived        Change = "archived"
)

// changesBetween returns the names of the settings that differ.
func changesBetween(a, b *Settings) []Change {
	var changed []Change
	for _, one := range []struct {
		differs bool
		name    Change
	}{
		{a.Name != b.Name, ChangedName},
		{a.Price != b.Price, ChangedPrice},
		{a.StartTime != b.StartTime, ChangedStartTime},
		{a.ImageURL != b.ImageURL, ChangedImageURL},
		{a.LimitPerUser != b.LimitPerUser, ChangedLimitPerUser},
		{a.MaxExpiredHolds != b.MaxExpiredHolds, ChangedMaxExpiredHolds},
		{a.Waitlist != b.Waitlist, ChangedWaitlist},
		{a.OfferFor != b.OfferFor, ChangedOfferFor},
		{a.MaxWaiting != b.MaxWaiting, ChangedMaxWaiting},
		{a.OffersCount != b.OffersCount, ChangedOffersCount},
		{a.Paused != b.Paused, ChangedPaused},
		{a.Hidden != b.Hidden, ChangedHidden},
		{a.Archived != b.Archived, ChangedArchived},
	} {
		if one.differs {
			changed = append(changed, one.name)
		}
	}
	return changed
}

// settingsFormat is the version of the stored form. Increase it if a field's meaning changes or a field is removed.
const settingsFormat = 1

type storedSettings struct {
	Format    int      `json:"format"`
	Changed   []Change `json:"changed,omitempty"`
	Name      string   `json:"name"`
	Price     int64    `json:"price"`
	StartTime int64    `json:"start_time"`
	ImageURL  string   `json:"image_url,omitempty"`
	Limit     int      `json:"limit_per_user,omitempty"`
	Expired   int      `json:"max_expired_holds,omitempty"`
	Waitlist  bool     `json:"waitlist,omitempty"`
	OfferFor  int      `json:"offer_for,omitempty"`
	Longest   int      `json:"max_waiting,omitempty"`
	Count     bool     `json:"offers_count,omitempty"`
	Draw      string   `json:"draw,omitempty"`
	Paused    bool     `json:"paused,omitempty"`
	Hidden    bool     `json:"hidden,omitempty"`
	Archived  bool     `json:"archived,omitempty"`
}

// EncodeSettings writes settings as they are stored, with the names of those that changed: none for a new drop.
func EncodeSettings(s *Settings, changed []Change) string {
	b, err := json.Marshal(&storedSettings{
		Format: settingsFormat, Changed: changed, Name: s.Name, Price: int64(s.Price), StartTime: int64(s.StartTime), ImageURL: s.ImageURL,
		Limit: s.LimitPerUser, Expired: s.MaxExpiredHolds, Waitlist: s.Waitlist, OfferFor: s.OfferFor, Longest: s.MaxWaiting,
		Count: s.OffersCount, Draw: s.Draw.Encode(), Paused: s.Paused, Hidden: s.Hidden, Archived: s.Archived,
	})
	if err != nil {
		panic(err) // a plain struct
	}
	return string(b)
}

// DecodeSettings reads what EncodeSettings wrote. An error means that the row was damaged, or written by a newer
// program.
func DecodeSettings(stored string) (s Settings, changed []Change, err error) {
	var v storedSettings
	if err := json.Unmarshal([]byte(stored), &v); err != nil {
		return s, nil, fmt.Errorf("decode a drop's settings: %w", err)
	}
	if v.Format != settingsFormat {
		return s, nil, fmt.Errorf("decode a drop's settings: format %d, known %d", v.Format, settingsFormat)
	}
	terms, err := DecodeDraw(v.Draw)
	if err != nil {
		return s, nil, fmt.Errorf("decode a drop's settings: %w", err)
	}
	return Settings{
		Name: v.Name, Price: Money(v.Price), StartTime: Time(v.StartTime), ImageURL: v.ImageURL, LimitPerUser: v.Limit,
		MaxExpiredHolds: v.Expired, Waitlist: v.Waitlist, OfferFor: v.OfferFor, MaxWaiting: v.Longest, OffersCount: v.Count,
		Draw: terms, Paused: v.Paused, Hidden: v.Hidden, Archived: v.Archived,
	}, v.Changed, nil
}

// NewRevision is the revision of a drop that has just been created or taken over.
func NewRevision(s *State) *Revision {
	return &Revision{Version: s.Version, Seq: s.Seq, At: s.LastAt, Settings: EncodeSettings(&s.Settings, nil)}
}
