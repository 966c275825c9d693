package drop

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"sneakerdrop/internal/text"
)

// Limits of a drop's page. Lengths are in characters.
const (
	MaxPageText   = 20_000
	MaxPageImages = 8
	MaxImageAlt   = 200
)

// Page is what a drop's page says beyond the drop's settings. The texts are Markdown; an empty one is left out of the
// page.
type Page struct {
	Description string
	SizeGuide   string
	Rules       string
	Delivery    string
	Images      []Image
	UpdatedAt   Time // by the store's clock; 0: nobody has written the page yet
}

// Image is one of the pictures of a page. Alt says what is to be seen, for people who do not see it.
type Image struct {
	URL string
	Alt string
}

// Normal returns the page with its texts in their normal form, which is how a page is kept, or the first rule that it
// breaks, as an *Error with CodeInvalid.
func (p *Page) Normal() (Page, error) {
	normal := *p
	for _, one := range []struct {
		field string
		text  *string
	}{
		{"description", &normal.Description},
		{"size_guide", &normal.SizeGuide},
		{"rules", &normal.Rules},
		{"delivery", &normal.Delivery},
	} {
		body, fault := text.Body(*one.text)
		if fault != "" {
			return Page{}, Invalid(one.field, string(fault))
		}
		if utf8.RuneCountInString(body) > MaxPageText {
			return Page{}, Invalid(one.field, fmt.Sprintf("must have at most %d characters", MaxPageText))
		}
		*one.text = body
	}
	if len(p.Images) > MaxPageImages {
		return Page{}, Invalid("images", fmt.Sprintf("must have at most %d entries", MaxPageImages))
	}
	normal.Images = slices.Clone(p.Images)
	for i := range normal.Images {
		if refusal := normal.Images[i].normalize(fmt.Sprintf("images[%d]", i)); refusal != nil {
			return Page{}, refusal
		}
	}
	return normal, nil
}

// SaysTheSame reports whether two pages have the same texts and images, whenever they were saved.
func (p *Page) SaysTheSame(other *Page) bool {
	return p.Description == other.Description && p.SizeGuide == other.SizeGuide && p.Rules == other.Rules && p.Delivery == other.Delivery &&
		slices.Equal(p.Images, other.Images)
}

func (i *Image) normalize(field string) *Error {
	if refusal := checkImage(field+".url", i.URL); refusal != nil {
		return refusal
	}
	if strings.TrimSpace(i.Alt) == "" {
		i.Alt = ""
		return nil
	}
	alt, refusal := normalText(field+".alt", i.Alt, MaxImageAlt, text.Title)
	i.Alt = alt
	return refusal
}

// Images are stored as text with a format of their own (docs/FORMATS.md, "Images of a page").
const imagesFormat = 1

type (
	storedImages struct {
		Format int           `json:"format"`
		Images []storedImage `json:"images"`
	}
	storedImage struct {
		URL string `json:"url"`
		Alt string `json:"alt"`
	}
)

// EncodeImages writes images as they are stored.
func EncodeImages(images []Image) string {
	stored := storedImages{Format: imagesFormat, Images: make([]storedImage, len(images))}
	for i, image := range images {
		stored.Images[i] = storedImage(image)
	}
	b, err := json.Marshal(&stored)
	if err != nil {
		panic(err) // plain structs of strings
	}
	return string(b)
}

// DecodeImages reads what EncodeImages wrote. An error means that the row was damaged, or written by a newer program.
func DecodeImages(s string) ([]Image, error) {
	var stored storedImages
	if err := json.Unmarshal([]byte(s), &stored); err != nil {
		return nil, fmt.Errorf("decode the images of a page: %w", err)
	}
	if stored.Format != imagesFormat {
		return nil, fmt.Errorf("decode the images of a page: format %d, known %d", stored.Format, imagesFormat)
	}
	if len(stored.Images) > MaxPageImages {
		return nil, errors.New("decode the images of a page: too many")
	}
	images := make([]Image, len(stored.Images))
	for i, image := range stored.Images {
		images[i] = Image(image)
	}
	return images, nil
}
