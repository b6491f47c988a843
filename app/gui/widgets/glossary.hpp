// The words of DMS, each explained where it stands: point at one to read what it means.
#pragma once

#include <span>
#include <string_view>

#include "app/gui/widgets/ui.hpp"

namespace app::gui {

struct GlossaryEntry {
  const char* word;
  const char* meaning;
};

// In the order in which they are best read.
std::span<const GlossaryEntry> glossary();
// Null: not a word of the glossary.
const GlossaryEntry* glossary_entry(std::string_view word);

// After an item: explains `word` while the pointer is on it. Nothing where the glossary lacks the word.
void glossary_tip(Ui& ui, std::string_view word);

}  // namespace app::gui
