// Rows of "name: value", as the statistics and trace panels list them.
#pragma once

#include <string>

#include "app/gui/widgets/ui.hpp"

namespace app::gui {

// Between begin_facts() and end_facts(). Names in a column of their own as wide as `name_width` at 100 %.
bool begin_facts(Ui& ui, const char* id, float name_width);
void end_facts();
// Words wrap, numbers are mono and right-aligned.
void fact_text(Ui& ui, const char* name, const std::string& value, Role role = Role::text);
void fact_number(Ui& ui, const char* name, const std::string& value, Role role = Role::text);
// A heading over a table of facts.
void facts_heading(Ui& ui, const char* title, const std::string& about = {});

}  // namespace app::gui
