#include "engine/tokenizer/template_text.hpp"

#include <algorithm>

#include "engine/tokenizer/unicode.hpp"
#include "engine/tokenizer/utf8.hpp"

namespace engine {

namespace {

char unescape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    default:
      return c;
  }
}

// Walks over a template; outside of {{ }} and {% %} is text that it skips, {# #} too.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  TemplateText run() {
    while (at_ < text_.size()) {
      const std::string_view opening = text_.substr(at_, 2);
      if (opening == "{#") {
        const std::size_t close = text_.find("#}", at_ + 2);
        at_ = close == std::string_view::npos ? text_.size() : close + 2;
      } else if (opening == "{{" || opening == "{%") {
        at_ += 2;
        result_.code += opening;
        read_code(opening == "{{" ? "}}" : "%}");
      } else {
        ++at_;
      }
    }
    return std::move(result_);
  }

 private:
  void read_code(std::string_view closing) {
    while (at_ < text_.size() && text_.substr(at_, 2) != closing) {
      const char c = text_[at_++];
      if (c == '\'' || c == '"') {
        read_literal(c);
      } else if (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
        result_.code += c;
      }
    }
    result_.code += closing;
    at_ = std::min(at_ + 2, text_.size());
  }

  void read_literal(char quote) {
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      char c = text_[at_++];
      if (c == '\\' && at_ < text_.size()) c = unescape(text_[at_++]);
      value += c;
    }
    ++at_;
    result_.code.append("'").append(value).append("'");
    result_.literals.push_back(std::move(value));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  TemplateText result_;
};

bool is_python_space(std::uint32_t code) {
  return is_white_space(code) || (code >= 0x1C && code <= 0x1F);
}

}  // namespace

TemplateText read_template_text(std::string_view text) {
  return Reader(text).run();
}

bool TemplateText::has_literal(std::string_view part) const {
  return std::any_of(literals.begin(), literals.end(),
                     [part](const std::string& literal) { return literal.find(part) != std::string::npos; });
}

const std::string* TemplateText::first_starting(std::string_view prefix) const {
  const auto found = std::find_if(literals.begin(), literals.end(), [prefix](const std::string& literal) {
    return literal.starts_with(prefix);
  });
  return found == literals.end() ? nullptr : &*found;
}

const std::string* TemplateText::last_starting(std::string_view prefix) const {
  const auto found = std::find_if(literals.rbegin(), literals.rend(), [prefix](const std::string& literal) {
    return literal.starts_with(prefix);
  });
  return found == literals.rend() ? nullptr : &*found;
}

std::string_view strip(std::string_view text) {
  while (!text.empty()) {
    std::size_t end = 0;
    if (!is_python_space(next_code_point(text, end))) break;
    text.remove_prefix(end);
  }
  while (!text.empty()) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80U) --begin;
    std::size_t end = begin;
    if (!is_python_space(next_code_point(text, end))) break;
    text.remove_suffix(text.size() - begin);
  }
  return text;
}

}  // namespace engine
