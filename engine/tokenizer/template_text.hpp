// Looking into the text of a Jinja template without running it. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace engine {

struct TemplateText {
  // Values of the string literals inside {{ }} and {% %}, in order, escapes resolved.
  std::vector<std::string> literals;
  // The code inside {{ }} and {% %} without white space outside of literals, literals single-quoted.
  std::string code;

  bool has_code(std::string_view part) const { return code.find(part) != std::string::npos; }
  bool has_literal(std::string_view part) const;
  // The first and the last literal that start with `prefix`; null if none.
  const std::string* first_starting(std::string_view prefix) const;
  const std::string* last_starting(std::string_view prefix) const;
};

TemplateText read_template_text(std::string_view text);

// Without white space at both ends, as Python's str.strip() and Jinja's trim.
std::string_view strip(std::string_view text);

}  // namespace engine
