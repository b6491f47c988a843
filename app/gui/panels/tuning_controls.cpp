// The controls of the tuning panel: policy, threshold under the histogram, window, target ratio.
#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "app/gui/panels/tuning_panel.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"

namespace app::gui {

namespace {

constexpr const char* kPolicyTitles[] = {"DMS", "Key norm", "Window", "Dense"};
constexpr std::int32_t kLeastWindow = 1;

// A heading on the left, a field on the right end of the same line.
float heading(Ui& ui, const char* title, const char* note, float field) {
  ImGui::Dummy({0, ui.px(2)});
  ImGui::AlignTextToFramePadding();
  const float right = ImGui::GetCursorPosX() + ImGui::GetContentRegionAvail().x - ui.px(field);
  label(ui, title, Role::text, Face::ui_strong, text_size::kTable);
  if (note != nullptr) {
    ImGui::SameLine(0, ui.px(6));
    label(ui, note, Role::text2, Face::ui, text_size::kCaption);
  }
  ImGui::SameLine(std::max(right, ImGui::GetCursorPosX()));
  return ui.px(field);
}

void track(const Ui& ui, ImDrawList& list, float left, float right, float y, float grab, float origin) {
  list.AddRectFilled({left, y - ui.px(2)}, {right, y + ui.px(2)}, ui.u32(Role::raised), ui.px(2));
  list.AddRectFilled({left, y - ui.px(2)}, {grab, y + ui.px(2)}, ui.u32(Role::accent_dim), ui.px(2));
  if (std::abs(origin - grab) >= 1)
    list.AddRectFilled({origin - ui.px(1), y - ui.px(5)}, {origin + ui.px(1), y + ui.px(5)},
                       ui.u32(Role::text));
  list.AddRectFilled({grab - ui.px(5), y - ui.px(8)}, {grab + ui.px(5), y + ui.px(8)}, ui.u32(Role::accent),
                     ui.px(kControlRadius));
}

// Arrow keys of a focused slider: −1, 0 or +1, taken from the navigation.
int arrows() {
  if (!ImGui::IsItemFocused()) return 0;
  const ImGuiID id = ImGui::GetItemID();
  ImGui::SetKeyOwner(ImGuiKey_LeftArrow, id);
  ImGui::SetKeyOwner(ImGuiKey_RightArrow, id);
  return (ImGui::IsKeyPressed(ImGuiKey_RightArrow, ImGuiInputFlags_Repeat, id) ? 1 : 0) -
         (ImGui::IsKeyPressed(ImGuiKey_LeftArrow, ImGuiInputFlags_Repeat, id) ? 1 : 0);
}

// Where the names have no room side by side.
bool policy_combo(Ui& ui, const std::vector<const char*>& names, int& chosen) {
  const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
  ImGui::SetNextItemWidth(-1);
  return ImGui::Combo("##policy", &chosen, names.data(), static_cast<int>(names.size()));
}

// Round numbers, about `count` of them in [low, high].
std::vector<double> round_ticks(double low, double high, int count) {
  const double rough = (high - low) / std::max(1, count);
  const double power = std::pow(10.0, std::floor(std::log10(std::max(rough, 1e-9))));
  double step = power * 10;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (power * factor >= rough) {
      step = power * factor;
      break;
    }
  }
  std::vector<double> ticks;
  for (double at = std::ceil(low / step) * step; at <= high && ticks.size() < 32; at += step)
    ticks.push_back(at);
  return ticks;
}

std::int64_t above(const view::LogitHistogram& histogram, double threshold) {
  std::int64_t count = 0;
  for (std::size_t bin = 0; bin < histogram.counts.size(); ++bin) {
    const float middle = histogram.low + histogram.bin_width() * (static_cast<float>(bin) + 0.5F);
    if (static_cast<double>(middle) > threshold) count += histogram.counts[bin];
  }
  return count;
}

}  // namespace

void TuningPanel::draw_policy(PanelContext& context) {
  Ui& ui = context.ui;
  const engine::RunStarted& run = context.bench.run().run();
  std::vector<const char*> names;
  std::vector<int> indices;
  int chosen = 0;
  for (int index = 0; index < kPolicyCount; ++index) {
    const bool needs_gates = index == 0 && run.gate_form == "none" && run.policy != "dms";
    if (needs_gates) continue;
    if (index == policy_) chosen = static_cast<int>(names.size());
    names.push_back(kPolicyTitles[index]);
    indices.push_back(index);
  }
  float wanted = 0;
  for (const char* name : names)
    wanted += label_width(ui, name, Face::ui_strong, text_size::kTable) + ui.px(24);
  const bool side_by_side = wanted <= ImGui::GetContentRegionAvail().x;
  if (!(side_by_side ? segmented(ui, "policy", names, chosen) : policy_combo(ui, names, chosen))) return;
  policy_ = indices[static_cast<std::size_t>(chosen)];
  if (run.policy != kPolicyNames[policy_]) context.bench.set_preview(std::nullopt);
}

void TuningPanel::draw_histogram(PanelContext& context, ImVec2 low, ImVec2 high) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const double verified = context.bench.cache().threshold();
  list.AddRectFilled(low, high, ui.u32(ui.theme().kind == ThemeKind::light ? Role::header : Role::app));
  // As many bars of at least two pixels as fit; their counts are those of the bins under them.
  const auto bins = histogram_.counts.size();
  const auto bars = std::min(bins, static_cast<std::size_t>(std::max(1.0F, (high.x - low.x) / ui.px(3))));
  std::vector<std::int64_t> counts(bars);
  for (std::size_t bin = 0; bin < bins; ++bin) counts[bin * bars / bins] += histogram_.counts[bin];
  const std::int64_t most = std::max<std::int64_t>(1, *std::max_element(counts.begin(), counts.end()));
  const float pitch = (high.x - low.x) / static_cast<float>(bars);
  const double span = static_cast<double>(histogram_.high - histogram_.low);
  for (std::size_t bar = 0; bar < bars; ++bar) {
    const double share = std::sqrt(static_cast<double>(counts[bar]) / static_cast<double>(most));
    const float top = high.y - static_cast<float>(share) * (high.y - low.y - ui.px(16));
    const ImVec2 from{low.x + pitch * static_cast<float>(bar), top}, to{from.x + pitch, high.y};
    const double middle = static_cast<double>(histogram_.low) +
                          span * (static_cast<double>(bar) + 0.5) / static_cast<double>(bars);
    const bool marked = middle > verified, would_be = middle > threshold_;
    list.AddRectFilled(from, to, ui.u32(would_be ? Role::doomed : Role::kept));
    // What the drag changes: newly marked, or newly kept.
    if (marked != would_be)
      ui.hatch().fill(list, from, to, would_be ? ui.color(Role::doomed_hatch) : ui.color(Role::casing),
                      ui.metrics());
  }
  const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
  const auto total = static_cast<double>(std::max<std::int64_t>(1, histogram_.total));
  const double now = static_cast<double>(above(histogram_, threshold_)) / total;
  const double before = static_cast<double>(above(histogram_, verified)) / total;
  std::string kept = "kept " + view::format_percent(std::round((1 - now) * 100) / 100);
  if (threshold_ != verified) kept += ", was " + view::format_percent(std::round((1 - before) * 100) / 100);
  const std::string marked = "marked " + view::format_percent(std::round(now * 100) / 100);
  list.AddText({low.x + ui.px(4), low.y + ui.px(1)}, ui.u32(Role::text), kept.c_str());
  list.AddText({high.x - ImGui::CalcTextSize(marked.c_str()).x - ui.px(4), low.y + ui.px(1)},
               ui.u32(Role::text), marked.c_str());
}

void TuningPanel::draw_threshold(PanelContext& context) {
  Ui& ui = context.ui;
  const double verified = context.bench.cache().threshold();
  ImGui::SetNextItemWidth(heading(ui, "Threshold θ", "logit", 84));
  {
    const FontScope font(ui.fonts(), Face::mono, text_size::kTable);
    double typed = threshold_;
    if (ImGui::InputDouble("##theta", &typed, 0, 0, "%.2f") && std::isfinite(typed)) {
      threshold_ = std::clamp(typed, -1e6, 1e6);
      apply(context);
    }
  }
  const ImVec2 low = ImGui::GetCursorScreenPos();
  const float width = std::max(ImGui::GetContentRegionAvail().x, ui.px(80));
  const float bars = ui.px(92), slider = ui.px(20), axis = ui.px(14);
  ImGui::InvisibleButton("theta", {width, bars + slider}, ImGuiButtonFlags_EnableNav);
  const double from = static_cast<double>(histogram_.low),
               span = static_cast<double>(histogram_.high - histogram_.low);
  const auto x_of = [&](double logit) {
    return std::clamp(low.x + static_cast<float>((logit - from) / span) * width, low.x, low.x + width);
  };
  double wanted = threshold_;
  if (ImGui::IsItemActive() && ImGui::IsMouseDown(ImGuiMouseButton_Left)) {
    const double at = from + span * static_cast<double>(
                                        std::clamp((ImGui::GetIO().MousePos.x - low.x) / width, 0.0F, 1.0F));
    wanted = std::round(at * 20) / 20;
    // The verified value is easy to come back to.
    if (std::abs(x_of(verified) - ImGui::GetIO().MousePos.x) < ui.px(3)) wanted = verified;
  }
  wanted += 0.05 * arrows();
  if (ImGui::IsItemHovered() && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) wanted = verified;
  if (wanted != threshold_) {
    threshold_ = wanted;
    apply(context);
  }
  if (ImGui::IsItemDeactivated()) released_ = true;
  draw_histogram(context, low, {low.x + width, low.y + bars});
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const float x = x_of(threshold_), origin = x_of(verified);
  list.AddLine({origin, low.y + ui.px(14)}, {origin, low.y + bars}, ui.u32(Role::text), ui.px(1));
  if (threshold_ != verified)
    dashed_line(list, {x, low.y + ui.px(14)}, {x, low.y + bars}, ui.color(Role::accent), ui.px(4), ui.px(2));
  track(ui, list, low.x, low.x + width, low.y + bars + ui.px(10),
        std::clamp(x, low.x + ui.px(5), low.x + width - ui.px(5)), origin);
  const FontScope font(ui.fonts(), Face::ui, text_size::kAxis);
  for (const double tick : round_ticks(from, from + span, static_cast<int>(width / ui.px(52)))) {
    const std::string text = fmt::format("{}{:g}", tick > 0 ? "+" : tick < 0 ? "\u2212" : "", std::abs(tick));
    const float half = ImGui::CalcTextSize(text.c_str()).x / 2;
    const float at = std::clamp(x_of(tick), low.x + half, low.x + width - half);
    list.AddText({std::round(at - half), low.y + bars + slider}, ui.u32(Role::text2), text.c_str());
  }
  ImGui::Dummy({width, axis});
  label(ui,
        fmt::format("{} logits of all {} heads, √ scale", view::format_count(histogram_.total),
                    view::format_count(context.bench.run().heads()))
            .c_str(),
        Role::text3, Face::ui, text_size::kAxis);
}

void TuningPanel::draw_window(PanelContext& context) {
  Ui& ui = context.ui;
  const std::int32_t verified = context.bench.run().run().window;
  ImGui::SetNextItemWidth(heading(ui, "Window w", "tokens", 84));
  {
    const FontScope font(ui.fonts(), Face::mono, text_size::kTable);
    std::int32_t typed = window_;
    if (ImGui::InputInt("##window", &typed, 0, 0)) {
      window_ = std::clamp(typed, 0, 1 << 24);
      apply(context);
    }
  }
  const ImVec2 low = ImGui::GetCursorScreenPos();
  const float width = std::max(ImGui::GetContentRegionAvail().x, ui.px(80)), slider = ui.px(20);
  ImGui::InvisibleButton("window", {width, slider}, ImGuiButtonFlags_EnableNav);
  // Powers of two at equal distances, from 8 or the run's own window if that is less.
  const double first = std::log2(std::max(kLeastWindow, std::min(8, verified)));
  const double last = std::max(std::log2(512.0), std::log2(std::max(1.0, static_cast<double>(verified))));
  const auto x_of = [&](double window) {
    const double share = (std::log2(std::max(1.0, window)) - first) / (last - first);
    return low.x + ui.px(5) + static_cast<float>(std::clamp(share, 0.0, 1.0)) * (width - ui.px(10));
  };
  std::int32_t wanted = window_;
  if (ImGui::IsItemActive() && ImGui::IsMouseDown(ImGuiMouseButton_Left)) {
    const float at =
        std::clamp((ImGui::GetIO().MousePos.x - low.x - ui.px(5)) / (width - ui.px(10)), 0.0F, 1.0F);
    wanted =
        static_cast<std::int32_t>(std::lround(std::exp2(first + static_cast<double>(at) * (last - first))));
    if (std::abs(x_of(verified) - ImGui::GetIO().MousePos.x) < ui.px(3)) wanted = verified;
  }
  wanted = std::max(0, wanted + arrows());
  if (ImGui::IsItemHovered() && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) wanted = verified;
  if (wanted != window_) {
    window_ = wanted;
    apply(context);
  }
  if (ImGui::IsItemDeactivated()) released_ = true;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  track(ui, list, low.x, low.x + width, low.y + slider / 2, x_of(window_), x_of(verified));
  const FontScope font(ui.fonts(), Face::ui, text_size::kAxis);
  float free = low.x - ui.px(4);
  for (double power = std::ceil(first); power <= last + 1e-9; power += 1) {
    const std::string text = view::format_count(std::llround(std::exp2(power)));
    const float size = ImGui::CalcTextSize(text.c_str()).x;
    const float at = std::clamp(x_of(std::exp2(power)) - size / 2, low.x, low.x + width - size);
    if (at < free + ui.px(4)) continue;
    list.AddText({std::round(at), low.y + slider}, ui.u32(Role::text2), text.c_str());
    free = at + size;
  }
  ImGui::Dummy({width, ui.px(12)});
}

void TuningPanel::draw_target(PanelContext& context) {
  Ui& ui = context.ui;
  Workbench& bench = context.bench;
  ImGui::SetNextItemWidth(heading(ui, "Target CR", "Enter solves θ", 84));
  const FontScope font(ui.fonts(), Face::mono, text_size::kTable);
  // Shows what the settings have come to until something else is typed.
  view::CacheView* preview = bench.preview();
  double shown = preview != nullptr ? preview->size(bench.position()).logical_ratio()
                                    : bench.cache().size(bench.position()).logical_ratio();
  if (ImGui::InputDouble("##target", &shown, 0, 0, "%.2f×", ImGuiInputTextFlags_EnterReturnsTrue)) {
    const auto solved =
        view::threshold_for_ratio(bench.sequence(), bench.run().heads(), window_, bench.position(), shown);
    target_error_ = solved ? "" : solved.error().message;
    if (solved) {
      threshold_ = *solved;
      apply(context);
    }
  }
  if (target_error_.empty()) return;
  ImGui::PushTextWrapPos(0);
  label(ui, target_error_.c_str(), Role::error, Face::ui, text_size::kCaption);
  drawn_item("target error", ImGui::GetItemRectMin(), ImGui::GetItemRectMax());
  ImGui::PopTextWrapPos();
}

// What a run with another policy needs to know; nothing of it can be previewed.
void TuningPanel::draw_other_policy(PanelContext& context) {
  Ui& ui = context.ui;
  const engine::RunStarted& run = context.bench.run().run();
  const std::string policy = kPolicyNames[policy_];
  const std::string why =
      run.policy == policy
          ? fmt::format(
                "No preview: what {} evicts depends on attention as it happened, so another setting needs a "
                "run.",
                run.policy)
          : fmt::format(
                "No preview: the logits of this run are those of {}. A run with {} shows what it does.",
                run.policy, kPolicyTitles[policy_]);
  ImGui::PushTextWrapPos(0);
  label(ui, why.c_str(), Role::text2, Face::ui, text_size::kTable);
  ImGui::PopTextWrapPos();
  const auto field = [&](const char* title, const char* note, auto draw) {
    ImGui::SetNextItemWidth(heading(ui, title, note, 84));
    const FontScope font(ui.fonts(), Face::mono, text_size::kTable);
    draw();
  };
  if (policy != "dense")
    field("Window w", "tokens", [&] {
      if (ImGui::InputInt("##w", &window_, 0, 0)) window_ = std::clamp(window_, 0, 1 << 24);
    });
  if (policy == "window")
    field("Sinks", "first tokens, always kept", [&] {
      if (ImGui::InputInt("##sinks", &sinks_, 0, 0)) sinks_ = std::clamp(sinks_, 0, 1 << 20);
    });
  if (policy == "knorm")
    field("Target CR", nullptr, [&] {
      if (ImGui::InputDouble("##cr", &target_, 0, 0, "%.2f×"))
        target_ = std::isfinite(target_) ? std::clamp(target_, 1.0, 1000.0) : 2;
    });
  if (policy == "dms")
    field("Threshold θ", "logit", [&] {
      if (ImGui::InputDouble("##th", &threshold_, 0, 0, "%.2f") && !std::isfinite(threshold_)) threshold_ = 0;
    });
}

}  // namespace app::gui
