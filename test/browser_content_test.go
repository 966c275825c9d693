package test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"sneakerdrop/internal/testing/client"
)

// pageSays waits until the page of drop 1 is as the API says.
func pageSays(t *testing.T, url, want string) {
	t.Helper()
	if err := poll(t.Context(), func() error {
		if status, body := get(t, url+"/api/drops/1/page"); status != http.StatusOK || !strings.Contains(body, want) {
			return fmt.Errorf("the page is %d %s, want %s", status, body, want)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// types puts a text into the field of that name.
func (p *page) types(field, text string) {
	p.t.Helper()
	eval[chromedp.Void](p, script(fmt.Sprintf(`{
		const field = document.querySelector('.content [name="%s"]');
		field.focus(); field.value = %q; field.dispatchEvent(new Event("input", { bubbles: true }));
	}`, field, text)))
}

// presses presses a button by the name that it has for a screen reader.
func (p *page) presses(label string) {
	p.t.Helper()
	press := fmt.Sprintf(`document.querySelector('.content [aria-label="%s"]')`, label)
	p.holds(script(press + ` !== null`))
	eval[chromedp.Void](p, script(press+`.focus()`))
	p.do(chromedp.KeyEvent("\r"))
}

const notSaved = `textOf(".save [role=status]") === "Not saved yet"`

func TestControl_WritesADropsPage(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, onePair)
	p := visit(t, s.url+"/admin#/1", phone)
	p.pushes("Edit page")
	p.holds(`location.hash === "#/drops/1/page" && textOf(".save [role=status]") === "Nothing is saved yet"`)
	p.checkLayout("content empty phone")
	p.checkAccess("content empty phone")
	p.types("description", "# Fit\n\n- snug")
	p.types("rules", "One pair each")
	for i := range 3 {
		p.pushes("Add a picture")
		p.holds(script(fmt.Sprintf(`document.activeElement.name === "images[%d].url"`, i)))
		p.types(fmt.Sprintf("images[%d].url", i), fmt.Sprintf("/%d.jpg", i+1))
		p.types(fmt.Sprintf("images[%d].alt", i), fmt.Sprintf("Picture %d", i+1))
	}
	p.presses("Move up picture 3")
	p.holds(`document.querySelector('[name="images[1].alt"]').value === "Picture 3" && document.activeElement.getAttribute("aria-label") === "Move up picture 2"`)
	p.presses("Move down picture 1")
	p.presses("Remove picture 3")
	p.holds(`document.querySelectorAll(".images li").length === 2 && document.activeElement.name === "images[1].url"`)
	p.holds(notSaved)
	p.checkLayout("content phone")
	p.checkAccess("content phone")
	picture(t, p, "content-phone.jpg")
	pageSays(t, s.url, `"updated_at":null`)
	p.pushes("Save page")
	pageSays(t, s.url, `"description":"# Fit\n\n- snug","size_guide":"","rules":"One pair each","delivery":"",`+
		`"images":[{"url":"/3.jpg","alt":"Picture 3"},{"url":"/1.jpg","alt":"Picture 1"}],"updated_at":"`)
	p.holds(`textOf(".save [role=status]").startsWith("Saved ")`)
	if preview := eval[string](p, `document.querySelector(".save a").getAttribute("href")`); preview != "/drops/1" {
		t.Errorf("the preview leads to %s", preview)
	}
}

// What is wrong stands at its field, which gets the focus. Nothing that was typed is lost, nor stored.
func TestControl_SaysWhatIsWrongWithADropsPage(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, onePair)
	p := visit(t, s.url+"/admin#/drops/1/page", desktop)
	p.reads(".save", "Nothing is saved yet")
	p.pushes("Add a picture")
	p.types("images[0].url", "javascript:alert(1)")
	p.types("description", "kept")
	p.pushes("Save page")
	p.holds(`document.activeElement.name === "images[0].url" && document.activeElement.getAttribute("aria-invalid") === "true"`)
	p.reads(".images li", "An address that starts with https://, or a path that starts with /.")
	p.checkAccess("content refused desktop")
	p.types("images[0].url", "/1.jpg")
	p.holds(`textOf(".images").includes("An address that starts with https://") === false`)
	p.types("rules", "hidden \u202e text") // what the server alone refuses
	p.pushes("Save page")
	p.reads("#rules-problem", "direction-changing characters")
	p.holds(`document.activeElement.name === "rules" && document.querySelector("#description").value === "kept"`)
	picture(t, p, "content-refused-desktop.jpg")
	pageSays(t, s.url, `"updated_at":null`)

	p.goes("Ledger") // what was typed stays
	p.reads(".toast", "Not saved yet: the page of")
	p.goes("Page")
	p.holds(`document.querySelector("#description")?.value === "kept" && ` + notSaved)
	if !eval[bool](p, `!dispatchEvent(new Event("beforeunload", { cancelable: true }))`) {
		t.Error("the tab closes without a question")
	}
	p.types("rules", "One each")
	p.pushes("Save page")
	pageSays(t, s.url, `"description":"kept","size_guide":"","rules":"One each"`)
	p.holds(`textOf(".save [role=status]").startsWith("Saved ")`)
	if eval[bool](p, `!dispatchEvent(new Event("beforeunload", { cancelable: true }))`) {
		t.Error("the tab asks though all is saved")
	}
	p.types("delivery", "never mind")
	p.pushes("Discard changes")
	p.reads("dialog[open] h2", "Discard your changes?")
	eval[chromedp.Void](p, `document.querySelector("dialog[open] .primary").click()`)
	p.holds(`document.querySelector("#delivery").value === "" && textOf(".save [role=status]").startsWith("Saved ")`)
}

// Another operator saves the page while one edits it. Neither text is lost: the second sees what differs and chooses.
func TestControl_TwoOperatorsSaveOnePage(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, onePair)
	other := func(rules string) {
		t.Helper()
		body := fmt.Sprintf(`{"description":"Hers","size_guide":"","rules":%q,"delivery":"","images":[{"url":"/hers.jpg","alt":""}]}`, rules)
		answer, err := client.Call{URL: s.url + "/api/drops/1/page", Method: http.MethodPut, Body: body}.Text(t.Context(), http.DefaultClient)
		if err != nil || !strings.HasPrefix(answer, "200 ") {
			t.Fatalf("the other operator: %s, %v", answer, err)
		}
	}
	p := visit(t, s.url+"/admin#/drops/1/page", desktop)
	p.reads(".save", "Nothing is saved yet")
	p.types("description", "His\nsame line")
	p.types("rules", "One each")
	other("One each")
	p.pushes("Save page")
	p.reads("dialog[open] h2", "Someone else saved this page")
	p.holds(`[...document.querySelectorAll(".conflict h3")].map((h) => h.textContent).join() === "Pictures,Description"`) // rules are the same
	p.holds(`[...document.querySelectorAll(".conflict mark")].map((m) => m.textContent).join() === "/hers.jpg,His,same line,Hers"`)
	p.checkAccess("page conflict desktop")
	picture(t, p, "content-conflict-desktop.jpg")
	pageSays(t, s.url, `"description":"Hers"`) // nothing was replaced

	p.pushes("Keep editing")
	p.reads(".save", "Your text is still here.")
	p.holds(`document.querySelector("#description").value === "His\nsame line"`)
	p.goes("Ledger") // and there it stays, with the version that it began with
	p.goes("Page")
	p.reads(".save", "Someone else saved this page")
	p.pushes("Save page")
	p.reads("dialog[open] h2", "Someone else saved this page")
	p.pushes("Load theirs")
	p.holds(`document.querySelector("#description").value === "Hers" && textOf(".save [role=status]").startsWith("Saved ")`)
	p.pushes("Undo")
	p.holds(`document.querySelector("#description").value === "His\nsame line"`)

	other("A third version") // between the comparison and the choice
	p.pushes("Save page")
	p.reads("dialog[open] .conflict", "A third version")
	other("A fourth version")
	p.pushes("Save mine")
	p.reads("dialog[open] .conflict", "A fourth version")
	pageSays(t, s.url, "A fourth version")
	p.pushes("Save mine")
	p.holds(`textOf(".save [role=status]").startsWith("Saved ") && document.querySelector("dialog[open]") === null`)
	pageSays(t, s.url, `"description":"His\nsame line","size_guide":"","rules":"One each"`)
}
