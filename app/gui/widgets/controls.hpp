// The window's own controls, in the look of the design system. Each is an ordinary Dear ImGui item: it takes
// focus from the keyboard and tests can click it by its label.
#pragma once

#include <span>
#include <string>

#include "app/gui/widgets/ui.hpp"

namespace app::gui {

// Buttons side by side of which one is chosen. Returns true when `chosen` changed.
bool segmented(Ui& ui, const char* id, std::span<const char* const> names, int& chosen);

// A caption beside controls of a toolbar whose line begins at `top` (cursor), cut to the room that is left.
void toolbar_caption(Ui& ui, float top, const std::string& text);

// A choice among names that drops down, as tall as a toolbar's controls; `before` says of what ("Sort: ").
// Returns the new index.
int dropdown(Ui& ui, const char* id, const char* before, std::span<const char* const> names, int chosen,
             float width);

enum class ButtonKind { plain, primary, link };
bool button(Ui& ui, const char* label, ButtonKind kind = ButtonKind::plain, ImVec2 size = {0, 0});
// A square button with an icon; `tooltip` names it, for people and for tests.
bool icon_button(Ui& ui, const char* icon, const char* tooltip, ImVec2 size, bool enabled = true);

// A rounded fact with an optional dot before it (menu row). Returns true when clicked.
bool chip(Ui& ui, const char* text, const Role* dot = nullptr, bool icon_only = false);
float chip_width(const Ui& ui, const char* text, bool dot);

// A choice, with the caret of the toolbars. Width and tooltip as for any Dear ImGui item. Returns true when
// `chosen` changed.
bool combo(Ui& ui, const char* id, int& chosen, std::span<const char* const> names);
// The same with entries of the caller's, up to end_combo(), which every call needs: true while it is open.
bool begin_combo(Ui& ui, const char* id, const char* shown);
void end_combo(Ui& ui, bool open);

// The keys of a shortcut: "Ctrl+P".
void key_caps(Ui& ui, const char* keys);

// The colour of a state of the cache: filled, hatched (doomed) or outlined (evicted).
void swatch(Ui& ui, Role state, float side = 12);
// The same at a place of the draw list.
void paint_swatch(Ui& ui, ImDrawList& list, Role state, ImVec2 low, ImVec2 high);

// A number in mono, right-aligned in the current table cell.
void number_cell(const Ui& ui, const char* text, Role role = Role::text);

// Why a panel is empty and what to do: two lines and a button, centred in what is left of the panel. Returns
// true when the button (none if `action` is null) was pressed.
bool empty_state(Ui& ui, const char* title, const char* reason, const char* action);

}  // namespace app::gui
