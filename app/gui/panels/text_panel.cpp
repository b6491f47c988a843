#include "app/gui/panels/text_panel.hpp"

#include <fmt/format.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "app/gui/fonts/icons.hpp"
#include "app/gui/host/host.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/view/format.hpp"
#include "app/view/run_curves.hpp"

namespace app::gui {

namespace {

constexpr std::array kModes{"Heads holding", "First layer to evict", "KL to dense"};
constexpr double kSearchAgain = 0.5;  // seconds between searches while the text grows

}  // namespace

void TextPanel::draw(PanelContext& context) {
  Workbench& bench = context.bench;
  Ui& ui = context.ui;
  update_quality(bench);
  follow_pin(bench);
  draw_controls(context);
  draw_legend(context);
  const std::int32_t prompt = view::prompt_positions(bench.sequence()), tokens = bench.sequence().tokens();
  const TokenShades shades = [&](view::TokenRange range, std::span<float> out) { shade(bench, range, out); };
  const TokenShades minimap = [&](view::TokenRange range, std::span<float> out) {
    shade_holding(bench, range, out);
  };
  TextPartStyle style{&shades, &minimap};
  const float head = ui.px(20), room = ImGui::GetContentRegionAvail().y;
  const float rest = std::max(0.0F, room - (tokens > prompt ? 2 : 1) * head - ui.px(4));
  // The output takes what it needs, up to half; the prompt the rest.
  const float line = ui.px(height::kTextLine);
  const float wanted = static_cast<float>(output_.layout().line_count() + 1) * line;
  const float output = tokens > prompt ? std::clamp(wanted, std::min(rest * 0.3F, line * 4), rest * 0.5F) : 0;
  const float prompt_wanted = static_cast<float>(prompt_.layout().line_count()) * line + ui.px(4);
  const bool short_prompt =
      tokens > prompt && prompt_.layout().line_count() > 0 && prompt_wanted < rest - output;
  const float above = short_prompt ? prompt_wanted : rest - output;
  heading(context, "Prompt", "", {0, prompt});
  prompt_.draw(context, "prompt text", {0, prompt}, above, style);
  if (tokens <= prompt) return;
  const bool follows = bench.at_newest() && bench.busy();
  heading(context, "Output", follows ? "follows live" : "", {prompt, tokens});
  style.follow = bench.at_newest();
  output_.draw(context, "output text", {prompt, tokens}, rest - above, style);
}

void TextPanel::heading(PanelContext& context, const char* name, const char* note, view::TokenRange tokens) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ImVec2 low = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x;
  list.AddRectFilled(low, {low.x + width, low.y + ui.px(20)}, ui.u32(Role::header));
  float x = low.x + ui.px(2);
  x += label_at(ui, list, {x, low.y + ui.px(3)}, name, Role::text, Face::ui_strong, text_size::kTable) +
       ui.px(8);
  const std::string range = tokens.size() > 0 ? fmt::format("{} \u2013 {}", view::format_count(tokens.begin),
                                                            view::format_count(tokens.end - 1))
                                              : std::string();
  const float range_width = label_width(ui, range.c_str(), Face::mono, text_size::kCaption);
  const float right = low.x + width - ui.px(4) - range_width;
  if (x + label_width(ui, note, Face::ui, text_size::kCaption) < right - ui.px(8))
    label_at(ui, list, {x, low.y + ui.px(4)}, note, Role::accent, Face::ui, text_size::kCaption);
  if (right > x)
    label_at(ui, list, {right, low.y + ui.px(3)}, range.c_str(), Role::text2, Face::mono,
             text_size::kCaption);
  const ImVec2 spacing = ImGui::GetStyle().ItemSpacing;
  ImGui::Dummy({width, ui.px(20) - spacing.y});
}

// --- what the background says
// -----------------------------------------------------------------------------------------------------------

void TextPanel::update_quality(const Workbench& bench) {
  const view::RunSnapshot& run = bench.run();
  if (run.run_id() != run_id_) {
    run_id_ = run.run_id();
    kl_.clear();
    quality_read_ = 0;
    kl_max_ = 0;
    searched_tokens_ = 0;
    searched_.clear();
    pinned_.reset();
  }
  for (; quality_read_ < run.quality_count(); ++quality_read_) {
    const view::QualityPoint& point = run.quality(quality_read_);
    if (point.sequence != bench.sequence().id() || point.position < 0 || !std::isfinite(point.value) ||
        run.measure(point.measure) != "kl")
      continue;
    const auto at = static_cast<std::size_t>(point.position);
    if (at >= static_cast<std::size_t>(bench.sequence().tokens())) continue;
    if (kl_.size() <= at) kl_.resize(at + 1, -1);
    kl_[at] = static_cast<float>(point.value);
    kl_max_ = std::max(kl_max_, kl_[at]);
  }
}

// Playing and scrubbing keep the position in view, a new pin itself.
void TextPanel::follow_pin(const Workbench& bench) {
  if (bench.position() != position_ && !bench.at_newest()) {
    prompt_.scroll_to(bench.position());
    output_.scroll_to(bench.position());
  }
  position_ = bench.position();
  if (bench.selection().token == pinned_) return;
  pinned_ = bench.selection().token;
  if (!pinned_) return;
  prompt_.scroll_to(*pinned_);
  output_.scroll_to(*pinned_);
}

void TextPanel::shade_holding(Workbench& bench, view::TokenRange tokens, std::span<float> out) {
  holding_.resize(out.size());
  bench.cache().heads_holding(bench.position(), tokens.begin, holding_);
  const auto heads = static_cast<float>(std::max(1, bench.cache().heads()));
  for (std::size_t index = 0; index < out.size(); ++index)
    out[index] = static_cast<float>(holding_[index]) / heads;
}

// Strong for a token that every layer holds, weak for one that an early layer let go.
float TextPanel::first_layer_shade(const Workbench& bench, std::int32_t token) const {
  const view::CacheView& cache = const_cast<Workbench&>(bench).cache();
  const std::int32_t kv_heads = std::max(1, bench.run().kv_heads());
  for (std::int32_t head = 0; head < cache.heads(); ++head) {
    if (cache.state(head, token, bench.position()) == view::TokenState::evicted)
      return static_cast<float>(head / kv_heads) / static_cast<float>(std::max(1, bench.run().layers()));
  }
  return 1;
}

void TextPanel::shade(Workbench& bench, view::TokenRange tokens, std::span<float> out) {
  if (mode_ == Mode::holding) return shade_holding(bench, tokens, out);
  for (std::size_t index = 0; index < out.size(); ++index) {
    const std::int32_t token = tokens.begin + static_cast<std::int32_t>(index);
    if (mode_ == Mode::first_layer) {
      out[index] = token > bench.position() ? 0 : first_layer_shade(bench, token);
      continue;
    }
    const auto at = static_cast<std::size_t>(token);
    const float kl = at < kl_.size() ? kl_[at] : -1;
    // Differences are small nearly everywhere: the square root shows them.
    out[index] = kl > 0 && kl_max_ > 0 ? std::sqrt(kl / kl_max_) : 0;
  }
}

// --- controls
// ---------------------------------------------------------------------------------------------------------------------------

void TextPanel::draw_controls(PanelContext& context) {
  Ui& ui = context.ui;
  const float width = ImGui::GetContentRegionAvail().x, gap = ui.px(6);
  const bool narrow = width < ui.px(230);
  const float mode = narrow ? width : std::min(ui.px(150), std::floor((width - gap) * 0.48F));
  {
    const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
    ImGui::SetNextItemWidth(mode);
    int chosen = static_cast<int>(mode_);
    if (combo(ui, "##mode", chosen, kModes)) mode_ = static_cast<Mode>(chosen);
    ImGui::SetItemTooltip("What the background of a token says");
  }
  if (!narrow) ImGui::SameLine(0, gap);
  draw_search(context, narrow ? width : width - mode - gap);
}

void TextPanel::draw_legend(PanelContext& context) {
  Ui& ui = context.ui;
  if (mode_ == Mode::kl && kl_max_ <= 0) {
    ImGui::PushTextWrapPos(0);
    label(ui, "Not measured in this run: switch on \u201cmeasure quality\u201d in the Prompt panel.",
          Role::text2, Face::ui, text_size::kCaption);
    ImGui::PopTextWrapPos();
    return;
  }
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x;
  const std::string low_text = mode_ == Mode::first_layer ? "L0" : "0";
  const std::string high_text = mode_ == Mode::holding
                                    ? fmt::format("{} heads", context.bench.cache().heads())
                                : mode_ == Mode::first_layer ? std::string("never")
                                                             : view::format_kl(static_cast<double>(kl_max_));
  float x = at.x + ui.px(2);
  x += label_at(ui, list, {x, at.y}, low_text.c_str(), Role::text2, Face::ui, text_size::kCaption) + ui.px(5);
  const float bar = std::min(ui.px(80), width * 0.3F);
  constexpr int kParts = 16;
  for (int part = 0; part < kParts; ++part) {
    const double share = std::pow((part + 0.5) / kParts, 1.3);
    list.AddRectFilled({x + bar * static_cast<float>(part) / kParts, at.y + ui.px(4)},
                       {x + bar * static_cast<float>(part + 1) / kParts, at.y + ui.px(12)},
                       to_u32(mix(ui.color(Role::panel), ui.color(Role::text_ramp_end), share)));
  }
  list.AddRect({x, at.y + ui.px(4)}, {x + bar, at.y + ui.px(12)}, ui.u32(Role::line), 0, 0, ui.px(1));
  x += bar + ui.px(5);
  x += label_at(ui, list, {x, at.y}, high_text.c_str(), Role::text2, Face::ui, text_size::kCaption) +
       ui.px(14);
  if (x + ui.px(24) + label_width(ui, "doomed", Face::ui, text_size::kCaption) < at.x + width) {
    list.AddRectFilled({x, at.y + ui.px(8)}, {x + ui.px(18), at.y + ui.px(10)}, ui.u32(Role::doomed_text));
    label_at(ui, list, {x + ui.px(23), at.y}, "doomed", Role::text2, Face::ui, text_size::kCaption);
  }
  ImGui::Dummy({width, ui.px(14)});
}

void TextPanel::draw_search(PanelContext& context, float width) {
  Ui& ui = context.ui;
  Workbench& bench = context.bench;
  TextMarks& marks = bench.marks();
  const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
  const bool active = !pattern_.empty();
  const float toggle = ui.px(22);
  if (std::exchange(marks.wanted, false)) ImGui::SetKeyboardFocusHere();
  ImGui::SetNextItemWidth(std::max(ui.px(30), width - toggle - ui.px(4)));
  const bool entered =
      ImGui::InputTextWithHint("##search", context.commands.keys("selection.find").c_str(), &pattern_,
                               ImGuiInputTextFlags_EnterReturnsTrue | ImGuiInputTextFlags_EscapeClearsAll);
  if (entered) {
    step_match(bench, ImGui::GetIO().KeyShift ? -1 : 1);
    ImGui::SetKeyboardFocusHere(-1);
  }
  if (!ImGui::IsItemActive())
    ImGui::SetItemTooltip("Find in prompt and output; Enter and Shift+Enter walk through the matches");
  ImGui::SameLine(0, ui.px(4));
  ImGui::PushStyleColor(ImGuiCol_Text, ui.u32(regex_ ? Role::accent : Role::text3));
  if (ImGui::Button(".*##regex", {toggle, 0})) regex_ = !regex_;
  ImGui::PopStyleColor();
  ImGui::SetItemTooltip(regex_ ? "The pattern is a regular expression" : "The pattern is plain text");
  search(bench);
  if (!active) return;
  const std::string text =
      !problem_.empty() ? problem_
      : marks.matches.empty()
          ? std::string("not found")
          : fmt::format("{} of {}{}", view::format_count(static_cast<std::int64_t>(marks.current) + 1),
                        view::format_count(static_cast<std::int64_t>(marks.matches.size())), cut_ ? "+" : "");
  const float buttons = marks.matches.empty() ? 0 : 2 * ui.px(24);
  const std::string shown = fit_text(text, ImGui::GetContentRegionAvail().x - buttons - ui.px(8));
  label(ui, shown.c_str(), problem_.empty() ? Role::text2 : Role::error, Face::ui, text_size::kTable);
  if (!problem_.empty()) ImGui::SetItemTooltip("%s", problem_.c_str());
  if (marks.matches.empty()) return;
  ImGui::SameLine(ImGui::GetContentRegionMax().x - buttons);
  if (ImGui::ArrowButton("previous match", ImGuiDir_Up)) step_match(bench, -1);
  ImGui::SameLine(0, ui.px(4));
  if (ImGui::ArrowButton("next match", ImGuiDir_Down)) step_match(bench, 1);
}

void TextPanel::search(Workbench& bench) {
  TextMarks& marks = bench.marks();
  const bool other = pattern_ != searched_ || regex_ != searched_regex_;
  const bool grown =
      !pattern_.empty() && bench.sequence().tokens() != searched_tokens_ && clock_seconds() >= next_search_;
  if (!other && !grown) return;
  searched_ = pattern_;
  searched_regex_ = regex_;
  searched_tokens_ = bench.sequence().tokens();
  next_search_ = clock_seconds() + kSearchAgain;
  problem_.clear();
  auto found = view::find_text(bench.sequence(), pattern_, {.regex = regex_});
  ++marks.version;
  if (!found) {
    problem_ = found.error().message;
    marks.matches.clear();
    return;
  }
  marks.matches = std::move(found->matches);
  cut_ = found->cut;
  if (marks.current >= marks.matches.size()) marks.current = 0;
  if (other && !marks.matches.empty()) {
    marks.current = 0;
    show_match(bench, 0);
  }
}

void TextPanel::show_match(Workbench& bench, std::size_t match) {
  const std::int32_t token = bench.marks().matches[match].begin;
  prompt_.scroll_to(token);
  output_.scroll_to(token);
}

void TextPanel::step_match(Workbench& bench, int by) {
  TextMarks& marks = bench.marks();
  if (marks.matches.empty()) return;
  const auto count = static_cast<int>(marks.matches.size());
  marks.current = static_cast<std::size_t>((static_cast<int>(marks.current) + by + count) % count);
  show_match(bench, marks.current);
}

}  // namespace app::gui
