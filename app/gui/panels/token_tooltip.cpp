#include "app/gui/panels/token_tooltip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "app/gui/widgets/controls.hpp"
#include "app/view/format.hpp"

namespace app::gui {

namespace {

using view::TokenState;

const char* word_of(TokenState state) {
  switch (state) {
    case TokenState::window:
      return "in the window, will be kept";
    case TokenState::undecided:
      return "in the window, undecided";
    case TokenState::doomed:
      return "doomed";
    default:
      return view::name_of(state);
  }
}

// One line: what it is called in its column, then its parts.
class Lines {
 public:
  explicit Lines(Ui& ui) : ui_(ui), column_(ui.px(58)) {}
  void begin(const char* name) {
    left_ = ImGui::GetCursorPosX();
    label(ui_, name, Role::text3, Face::ui, text_size::kTable);
    ImGui::SameLine(0, 0);
    ImGui::SetCursorPosX(left_ + column_);
  }
  void word(const std::string& text, Role role = Role::text2) {
    label(ui_, text.c_str(), role, Face::ui, text_size::kTable);
  }
  void strong(const std::string& text, Role role = Role::text) {
    label(ui_, text.c_str(), role, Face::mono_strong, text_size::kTable);
  }
  static void next() { ImGui::SameLine(0, 0); }

 private:
  Ui& ui_;
  float column_;
  float left_ = 0;
};

void state_line(Ui& ui, Lines& lines, TokenState state, std::int32_t age) {
  lines.begin("state");
  const FontScope font(ui.fonts(), Face::ui_strong, text_size::kTable);
  swatch(ui, role_of(state), 10);
  ImGui::SameLine(0, ui.px(5));
  label(ui, word_of(state), Role::text, Face::ui_strong, text_size::kTable);
  if (state == TokenState::unborn) return;
  Lines::next();
  lines.word(fmt::format(", age {}", view::format_count(age)));
}

// "0.11 below θ: keep"
void logit_line(Lines& lines, const view::CacheView& cache, std::int32_t head, std::int32_t token,
                bool decided) {
  lines.begin("logit");
  if (!decided) return lines.word("not known yet");
  const auto logit = static_cast<double>(cache.sequence().logit(head, token));
  if (std::isnan(logit)) return lines.word("none: this policy does not judge by one");
  lines.strong(view::format_logit(logit));
  Lines::next();
  const double margin = logit - cache.threshold();
  lines.word(fmt::format("  {} {} \u03b8: {}", view::format_logit(std::abs(margin)),
                         margin > 0 ? "above" : "below", margin > 0 ? "evict" : "keep"));
}

void date(Lines& lines, const char* before, std::int32_t position) {
  lines.word(before);
  Lines::next();
  lines.strong(view::format_count(position));
}

void life_line(Lines& lines, const view::CacheView& cache, std::int32_t s, std::int32_t head,
               std::int32_t token) {
  const view::TokenDates dates = cache.dates(head, token);
  lines.begin("life");
  date(lines, "born ", dates.born);
  if (cache.closed_form()) {
    Lines::next();
    date(lines, dates.decided <= s ? ", decided " : ", decides ", dates.decided);
  }
  if (dates.evicted) {
    Lines::next();
    date(lines, *dates.evicted <= s ? ", evicted " : ", evicts ", *dates.evicted);
  } else if (cache.closed_form() && dates.leaves > s && dates.leaves < cache.positions() + cache.window()) {
    Lines::next();
    date(lines, ", leaves ", dates.leaves);
  }
}

void holders_line(Lines& lines, const view::CacheView& cache, std::int32_t s, std::int32_t token) {
  const std::int32_t kv_heads = std::max(1, cache.run().kv_heads());
  std::int32_t heads = 0;
  std::int32_t layers = 0;
  for (std::int32_t layer = 0; layer < cache.run().layers(); ++layer) {
    std::int32_t of_layer = 0;
    for (std::int32_t h = 0; h < kv_heads; ++h) {
      const TokenState state = cache.state(layer * kv_heads + h, token, s);
      of_layer += state != TokenState::evicted && state != TokenState::unborn ? 1 : 0;
    }
    heads += of_layer;
    layers += of_layer > 0 ? 1 : 0;
  }
  lines.begin("held by");
  lines.strong(view::format_count(heads));
  Lines::next();
  lines.word(fmt::format(" of {} heads, {} of {} layers", view::format_count(cache.heads()), layers,
                         cache.run().layers()));
}

}  // namespace

Role role_of(TokenState state) {
  switch (state) {
    case TokenState::unborn:
      return Role::unborn;
    case TokenState::undecided:
    case TokenState::window:
      return Role::window;
    case TokenState::doomed:
      return Role::doomed;
    case TokenState::kept:
      return Role::kept;
    case TokenState::evicted:
      break;
  }
  return Role::evicted;
}

std::string shown_text(const view::SequenceView& sequence, std::int32_t token) {
  constexpr std::size_t kLongest = 24;  // bytes
  std::string shown;
  for (const char c : sequence.token(token).text) {
    if (shown.size() >= kLongest && (static_cast<unsigned char>(c) & 0xC0) != 0x80) return shown + "\u2026";
    if (c == ' ') {
      shown += "\u00b7";
    } else if (c == '\n') {
      shown += "\u21b5";
    } else if (c == '\t') {
      shown += "\u2192";
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      shown += c;
    }
  }
  return shown;
}

std::string token_flag(const view::SequenceView& sequence, std::int32_t token) {
  const std::string text = shown_text(sequence, token);
  return text.empty() ? view::format_token(token) : text + "  " + view::format_token(token);
}

void token_tooltip(Ui& ui, const view::CacheView& cache, std::int32_t s, std::int32_t head,
                   std::int32_t token, view::TokenRange pixel, std::int32_t pixel_heads) {
  const view::SequenceView& sequence = cache.sequence();
  const std::int32_t kv_heads = std::max(1, cache.run().kv_heads());
  const TokenState state = cache.state(head, token, s);
  const bool decided = token < sequence.judged() && token + cache.lag() <= s;
  if (!ImGui::BeginTooltip()) return;
  Lines lines(ui);
  const std::string text = shown_text(sequence, token);
  label(ui, fmt::format("\u201c{}\u201d", text).c_str(), Role::text, Face::ui_strong);
  ImGui::SameLine(0, ui.px(8));
  lines.word(fmt::format("token {}, {}, {}", view::format_token(token),
                         sequence.token(token).phase == engine::Phase::prefill ? "prompt" : "output",
                         view::format_head(head / kv_heads, head % kv_heads)));
  ImGui::Separator();
  state_line(ui, lines, state, s - token);
  logit_line(lines, cache, head, token, decided);
  life_line(lines, cache, s, head, token);
  holders_line(lines, cache, s, token);
  if (cache.preview()) {
    lines.begin("preview");
    lines.word(fmt::format("\u03b8 {}, window {}: an estimate above layer 0",
                           view::format_logit(cache.threshold()), view::format_count(cache.window())));
  }
  if (pixel.size() > 1 || pixel_heads > 1) {
    lines.begin("pixel");
    std::string covers = fmt::format("covers {} token{}", pixel.size(), pixel.size() > 1 ? "s" : "");
    if (pixel_heads > 1) covers += fmt::format(" of {} heads", pixel_heads);
    if (pixel.size() > 1) {
      covers += fmt::format(", {} {} {}", view::format_token(pixel.begin), pixel.size() == 2 ? "and" : "to",
                            view::format_token(pixel.end - 1));
    }
    lines.word(covers, Role::text3);
  }
  ImGui::EndTooltip();
}

}  // namespace app::gui
