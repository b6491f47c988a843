#include "app/gui/panels/text_part.hpp"

#include <imgui_internal.h>

#include <algorithm>
#include <cmath>

#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"
#include "app/view/printable.hpp"

namespace app::gui {

namespace {

constexpr float kMinimap = 9, kIndent = 8;
constexpr const char* kReturn = "\u21b5";

view::TextMeasure text_measure(const Ui& ui) {
  view::TextMeasure measure;
  measure.width = [](std::string_view text) {
    if (!view::is_printable(text)) {
      const std::string shown = view::printable(text);
      return ImGui::CalcTextSize(shown.data(), shown.data() + shown.size()).x;
    }
    return ImGui::CalcTextSize(text.data(), text.data() + text.size()).x;
  };
  measure.line_break_width = ui.px(10);
  measure.version = static_cast<std::uint64_t>(std::lround(ImGui::GetFontSize() * 64)) + 1;
  return measure;
}

}  // namespace

struct TextPart::Frame {
  PanelContext& context;
  ImDrawList& list;
  ImVec2 origin;  // of line 0, scrolled
  float line_height;
  float space;               // width of a space
  ImVec2 low, high;          // visible area
  std::int32_t first, last;  // visible lines, one past

  ImVec2 at(const view::TextRect& rect) const {
    return {origin.x + rect.x, origin.y + static_cast<float>(rect.line) * line_height};
  }
};

void TextPart::lay_out(PanelContext& context, view::TokenRange tokens, float width) {
  layout_.update(context.bench.run(), context.bench.sequence(), tokens, width, text_measure(context.ui));
}

void TextPart::draw(PanelContext& context, const char* id, view::TokenRange tokens, float height,
                    const TextPartStyle& style) {
  Ui& ui = context.ui;
  const float width = ImGui::GetContentRegionAvail().x;
  if (width < ui.px(40) || height < ui.px(20)) return ImGui::Dummy({1, std::max(1.0F, height)});
  const ImVec2 low = ImGui::GetCursorScreenPos();
  const ImVec2 high{low.x + ui.px(kMinimap - 2), low.y + height};
  ImGui::PushID(id);
  ImGui::InvisibleButton("minimap", {high.x - low.x, height});
  const bool jumps = ImGui::IsItemActive();
  ImGui::PopID();
  ImGui::SameLine(0, ui.px(2));
  ImGui::BeginChild(id, {0, height}, 0, ImGuiWindowFlags_NoNavInputs);
  const Frame frame = draw_text(context, tokens, height, style);
  ImGui::EndChild();
  if (jumps) jump(frame, low, high);
  draw_minimap(frame, style, low, high);
}

TextPart::Frame TextPart::draw_text(PanelContext& context, view::TokenRange tokens, float height,
                                    const TextPartStyle& style) {
  Ui& ui = context.ui;
  const FontScope font(ui.fonts(), Face::ui, text_size::kBody);
  const float line_height = ui.px(height::kTextLine), indent = ui.px(kIndent);
  lay_out(context, tokens, ImGui::GetWindowWidth() - indent - ImGui::GetStyle().ScrollbarSize - ui.px(2));
  const std::int32_t lines = layout_.line_count();
  const ImVec2 start = ImGui::GetCursorScreenPos(), low = ImGui::GetWindowPos();
  Frame frame{context,
              *ImGui::GetWindowDrawList(),
              {start.x + indent, start.y},
              line_height,
              ImGui::CalcTextSize(" ").x,
              low,
              {low.x + ImGui::GetWindowWidth(), low.y + height},
              0,
              0};
  frame.first = std::clamp(static_cast<std::int32_t>((low.y - start.y) / line_height), 0, lines);
  frame.last = std::clamp(static_cast<std::int32_t>((frame.high.y - start.y) / line_height) + 1, 0, lines);
  focused_ = ImGui::IsWindowFocused();
  if (style.keys) take_keys(frame);
  scroll(frame, style);
  const float tall = static_cast<float>(lines) * line_height + ui.px(4);
  ImGui::InvisibleButton("tokens", {std::max(1.0F, ImGui::GetContentRegionAvail().x), tall});
  handle_pointer(frame);
  draw_lines(frame, style);
  at_end_ = ImGui::GetScrollY() >= ImGui::GetScrollMaxY() - line_height;
  return frame;
}

void TextPart::take_keys(const Frame& frame) {
  const float page = frame.high.y - frame.low.y - frame.line_height;
  if (ImGui::IsKeyPressed(ImGuiKey_PageDown)) ImGui::SetScrollY(ImGui::GetScrollY() + page);
  if (ImGui::IsKeyPressed(ImGuiKey_PageUp)) ImGui::SetScrollY(std::max(0.0F, ImGui::GetScrollY() - page));
}

void TextPart::scroll(const Frame& frame, const TextPartStyle& style) {
  if (wanted_) {
    if (layout_.tokens().contains(*wanted_)) {
      const auto line = static_cast<float>(layout_.line_of(*wanted_));
      const float visible = frame.high.y - frame.low.y, top = line * frame.line_height;
      const bool in_view =
          top >= ImGui::GetScrollY() && top + frame.line_height <= ImGui::GetScrollY() + visible;
      if (!in_view) ImGui::SetScrollY(std::max(0.0F, top - visible / 2));
      at_end_ = false;
    }
    wanted_.reset();
  } else if (style.follow && at_end_ && !drag_from_) {
    ImGui::SetScrollY(static_cast<float>(layout_.line_count()) * frame.line_height);
  }
}

// A wrapped line begins with the space that it was broken at: it stands in the margin, so that the words line
// up.
float TextPart::overhang(const Frame& frame, std::int32_t line) const {
  if (line == 0 || layout_.line(line - 1).back().breaks_line) return 0;
  const view::TextPiece& first = layout_.line(line).front();
  const std::string_view text = frame.context.bench.sequence().token(first.token).text;
  const bool space = first.end > first.begin && text[static_cast<std::size_t>(first.begin)] == ' ';
  return space ? frame.space : 0;
}

std::optional<std::int32_t> TextPart::token_at(const Frame& frame, ImVec2 at) const {
  const auto line = static_cast<std::int32_t>(std::floor((at.y - frame.origin.y) / frame.line_height));
  if (line < 0 || line >= layout_.line_count()) return {};
  return layout_.token_at(line, at.x - frame.origin.x + overhang(frame, line));
}

// For drags, which also begin and end beside the text.
std::optional<std::int32_t> TextPart::nearest_token(const Frame& frame, ImVec2 at) const {
  if (layout_.line_count() == 0) return {};
  const auto line =
      std::clamp(static_cast<std::int32_t>(std::floor((at.y - frame.origin.y) / frame.line_height)), 0,
                 layout_.line_count() - 1);
  const auto pieces = layout_.line(line);
  if (at.x < frame.origin.x) return pieces.front().token;
  const auto token = layout_.token_at(line, at.x - frame.origin.x + overhang(frame, line));
  return token ? token : pieces.back().token;
}

void TextPart::handle_pointer(const Frame& frame) {
  Workbench& bench = frame.context.bench;
  const bool hovered = ImGui::IsItemHovered(), held = ImGui::IsItemActive();
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const auto token = token_at(frame, mouse);
  if (hovered && token) bench.next_hover().token = token;
  if (ImGui::IsItemActivated()) {
    drag_from_ = nearest_token(frame, mouse);
    pressed_ = token;
    dragged_ = false;
  }
  if (held && drag_from_ && ImGui::IsMouseDragging(ImGuiMouseButton_Left)) {
    const auto to = nearest_token(frame, mouse);
    if (to && (dragged_ || *to != *drag_from_)) {
      view::Selection range = view::select_tokens(bench.selection(), *drag_from_, *to);
      // One entry of the history for the whole drag.
      if (dragged_) {
        bench.history().replace(std::move(range));
      } else {
        bench.select(std::move(range));
      }
      dragged_ = true;
    }
    // Beyond the edge the text follows.
    if (mouse.y < frame.low.y) ImGui::SetScrollY(std::max(0.0F, ImGui::GetScrollY() - frame.line_height / 2));
    if (mouse.y > frame.high.y) ImGui::SetScrollY(ImGui::GetScrollY() + frame.line_height / 2);
  }
  if (!ImGui::IsItemDeactivated()) return;
  if (!dragged_ && pressed_ && token == pressed_) bench.select(view::pin_token(bench.selection(), *token));
  drag_from_.reset();
}

void TextPart::draw_lines(const Frame& frame, const TextPartStyle& style) {
  if (frame.first >= frame.last) return;
  Workbench& bench = frame.context.bench;
  const view::TokenRange visible{layout_.tokens_of_line(frame.first).begin,
                                 layout_.tokens_of_line(frame.last - 1).end};
  const auto count = static_cast<std::size_t>(visible.size());
  shades_.assign(count, 0);
  holding_.assign(count, 0);
  (*style.shades)(visible, shades_);
  if (style.underline_doomed) bench.cache().heads_doomed(bench.position(), visible.begin, holding_);
  for (std::int32_t line = frame.first; line < frame.last; ++line) {
    const ImVec2 at{frame.origin.x - overhang(frame, line),
                    frame.origin.y + static_cast<float>(line) * frame.line_height};
    for (const view::TextPiece& piece : layout_.line(line)) {
      const auto index = static_cast<std::size_t>(piece.token - visible.begin);
      draw_piece(frame, piece, at, shades_[index], holding_[index] > 0);
    }
    draw_frames(frame, line, at);
  }
}

void TextPart::draw_piece(const Frame& frame, const view::TextPiece& piece, ImVec2 line, float shade,
                          bool doomed) {
  Ui& ui = frame.context.ui;
  Workbench& bench = frame.context.bench;
  const bool unborn = piece.token > bench.position();
  const bool pinned = bench.selection().token == piece.token;
  const auto& range = bench.selection().tokens;
  const ImVec2 low{line.x + piece.x, line.y + ui.px(1)};
  const ImVec2 high{low.x + piece.width, line.y + frame.line_height - ui.px(1)};
  if (pinned) {
    frame.list.AddRectFilled(low, high, ui.u32(Role::accent), ui.px(2));
  } else if (!unborn && shade > 0) {
    frame.list.AddRectFilled(low, high,
                             to_u32(mix(ui.color(Role::panel), ui.color(Role::text_ramp_end),
                                        std::pow(static_cast<double>(shade), 1.3))));
  }
  if (range && range->contains(piece.token) && !pinned) {
    frame.list.AddRectFilled(low, high, to_u32(with_alpha(ui.color(Role::accent), 0.22)));
    frame.list.AddLine({low.x, high.y}, high, ui.u32(Role::accent), ui.px(1));
  }
  if (doomed && !unborn && !pinned)
    frame.list.AddRectFilled({low.x, high.y - ui.px(2)},
                             {high.x - (piece.width > ui.px(6) ? ui.px(1) : 0), high.y},
                             ui.u32(Role::doomed_text));
  const std::string_view text = bench.sequence()
                                    .token(piece.token)
                                    .text.substr(static_cast<std::size_t>(piece.begin),
                                                 static_cast<std::size_t>(piece.end - piece.begin));
  const ImU32 ink = ui.u32(pinned ? Role::on_accent : unborn ? Role::text3 : Role::text);
  const ImVec2 at{low.x, line.y + std::round((frame.line_height - ImGui::GetFontSize()) / 2)};
  float sign = low.x;
  if (!text.empty()) {
    const std::string shown = view::is_printable(text) ? std::string(text) : view::printable(text);
    frame.list.AddText(at, ink, shown.data(), shown.data() + shown.size());
    sign += ImGui::CalcTextSize(shown.data(), shown.data() + shown.size()).x;
  }
  if (piece.breaks_line) frame.list.AddText({sign, at.y}, pinned ? ink : ui.u32(Role::text3), kReturn);
  if (ImGuiContext& g = *GImGui; g.TestEngineHookItems) {
    const ImGuiID id = ImGui::GetID(piece.token);
    IMGUI_TEST_ENGINE_ITEM_ADD(id, ImRect(low, high), nullptr);
    IMGUI_TEST_ENGINE_ITEM_INFO(id, view::format_token(piece.token).c_str(), 0);
  }
}

// Around what was found and around the hovered token: once per line, however many pieces they have there.
void TextPart::draw_frames(const Frame& frame, std::int32_t line, ImVec2 at) {
  Ui& ui = frame.context.ui;
  Workbench& bench = frame.context.bench;
  const auto around = [&](view::TokenRange tokens, float out, Role role, float thick) {
    float left = 0, right = 0;
    for (const view::TextPiece& piece : layout_.line(line)) {
      if (!tokens.contains(piece.token)) continue;
      if (right <= 0) left = piece.x;
      right = piece.x + piece.width;
    }
    if (right <= 0) return;
    const ImVec2 low{at.x + left - out, at.y + ui.px(1) - out};
    const ImVec2 high{at.x + right + out, at.y + frame.line_height - ui.px(1) + out};
    if (role == Role::hover_line)
      frame.list.AddRect(low, high, ui.u32(Role::casing), ui.px(2), 0, thick + ui.px(2));
    frame.list.AddRect(low, high, ui.u32(role), ui.px(2), 0, thick);
    drawn_item(role == Role::hover_line ? "hovered token" : "match", low, high);
  };
  const auto& matches = bench.marks().matches;
  const view::TokenRange shown = layout_.tokens_of_line(line);
  auto match = std::lower_bound(matches.begin(), matches.end(), shown.begin,
                                [](const view::TokenRange& m, std::int32_t token) { return m.end <= token; });
  for (; match != matches.end() && match->begin < shown.end; ++match) {
    const bool current = static_cast<std::size_t>(match - matches.begin()) == bench.marks().current;
    around(*match, 0, Role::warning, ui.px(current ? 2 : 1));
  }
  if (const auto& token = bench.hover().token; token && shown.contains(*token))
    around({*token, *token + 1}, ui.px(1), Role::hover_line, ui.px(1));
}

void TextPart::draw_minimap(const Frame& frame, const TextPartStyle& style, ImVec2 low, ImVec2 high) {
  Ui& ui = frame.context.ui;
  Workbench& bench = frame.context.bench;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const std::int32_t lines = layout_.line_count();
  const auto height = static_cast<std::int32_t>(high.y - low.y);
  list.AddRectFilled(low, high, ui.u32(Role::header));
  if (lines == 0 || height <= 0) return;
  // A few lines are as tall as in the text; more share the height.
  const float tall = std::min(high.y - low.y, static_cast<float>(lines) * frame.line_height);
  const MinimapKey key{bench.run().version(), bench.position(), lines, height, ui.u32(Role::text_ramp_end)};
  if (!(key == painted_)) {
    painted_ = key;
    const view::TokenRange tokens = layout_.tokens();
    shades_.assign(static_cast<std::size_t>(tokens.size()), 0);
    (*style.minimap)(tokens, shades_);
    const std::vector<float> means = layout_.minimap(shades_, height);
    minimap_.resize(1, static_cast<int>(means.size()));
    const auto pixels = minimap_.pixels();
    for (std::size_t pixel = 0; pixel < pixels.size() && pixel < means.size(); ++pixel) {
      pixels[pixel] = to_u32(mix(ui.color(Role::header), ui.color(Role::text_ramp_end),
                                 std::pow(static_cast<double>(std::clamp(means[pixel], 0.0F, 1.0F)), 1.3)));
    }
    minimap_.changed();
  }
  if (minimap_.height() > 0) add_image_nearest(list, minimap_, low, {high.x, low.y + tall});
  const auto y_of = [&](float line) { return low.y + line / static_cast<float>(lines) * tall; };
  const ImVec2 view_low{low.x, std::round(y_of((frame.low.y - frame.origin.y) / frame.line_height))};
  const ImVec2 view_high{
      high.x, std::round(y_of(
                  std::min(static_cast<float>(lines), (frame.high.y - frame.origin.y) / frame.line_height)))};
  list.AddRect(view_low, view_high, ui.u32(Role::text2), 0, 0, ui.px(1));
  const auto tick = [&](std::int32_t token, Role role) {
    if (!layout_.tokens().contains(token)) return;
    const float y = std::round(y_of(static_cast<float>(layout_.line_of(token)) + 0.5F));
    list.AddRectFilled({low.x, y}, {high.x + ui.px(1), y + ui.px(2)}, ui.u32(role));
  };
  for (std::size_t index = 0; index < std::min<std::size_t>(bench.marks().matches.size(), 500); ++index)
    tick(bench.marks().matches[index].begin, Role::warning);
  if (bench.hover().token) tick(*bench.hover().token, Role::hover_line);
  if (bench.selection().token) tick(*bench.selection().token, Role::accent);
}

void TextPart::jump(const Frame& frame, ImVec2 low, ImVec2 high) {
  const std::int32_t lines = layout_.line_count();
  if (lines == 0) return;
  const float tall = std::min(high.y - low.y, static_cast<float>(lines) * frame.line_height);
  const float line = (ImGui::GetIO().MousePos.y - low.y) / std::max(1.0F, tall) * static_cast<float>(lines);
  const std::int32_t at = std::clamp(static_cast<std::int32_t>(line), 0, lines - 1);
  wanted_ = layout_.tokens_of_line(at).begin;
}

}  // namespace app::gui
