// What the tuning panel compares: the cards A and B, verified against preview, and what has been tried.
#include <fmt/format.h>

#include <algorithm>

#include "app/gui/panels/tuning_panel.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/gui/workbench/rerun.hpp"
#include "app/view/format.hpp"
#include "app/view/run_result.hpp"

namespace app::gui {

namespace {

std::string kl_text(const std::optional<double>& kl) {
  return kl ? fmt::format("{:.3f}", *kl) : view::kUnknown;
}

std::string share_text(const std::optional<double>& share) {
  return view::format_or_unknown(share, view::format_percent);
}

// The square with a run's letter.
void letter(Ui& ui, ImDrawList& list, ImVec2 at, const char* text, bool strong) {
  const float side = ui.px(16);
  list.AddRectFilled(at, {at.x + side, at.y + side}, ui.u32(strong ? Role::text : Role::strong_line),
                     ui.px(kControlRadius));
  const FontScope font(ui.fonts(), Face::ui_bold, text_size::kCaption);
  const ImVec2 size = ImGui::CalcTextSize(text);
  list.AddText({at.x + (side - size.x) / 2, at.y + (side - size.y) / 2},
               ui.u32(strong ? Role::panel : Role::text), text);
}

void card(Ui& ui, const char* name, const view::RunResult& result, ImVec2 low, ImVec2 high, bool strong) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddRectFilled(low, high, ui.u32(Role::header), ui.px(kCardRadius));
  list.AddRect(low, high, ui.u32(strong ? Role::text : Role::line), ui.px(kCardRadius), 0,
               ui.px(strong ? 1.5F : 1));
  letter(ui, list, {low.x + ui.px(6), low.y + ui.px(7)}, name, strong);
  {
    const std::string settings = view::settings_text(result);
    const float room = high.x - low.x - ui.px(30);
    const bool fits = label_width(ui, settings.c_str(), Face::ui, text_size::kTable) <= room;
    const FontScope font(ui.fonts(), Face::ui, fits ? text_size::kTable : text_size::kCaption);
    const std::string text = fit_text(settings, room);
    list.AddText({low.x + ui.px(27), low.y + ui.px(fits ? 7 : 8)}, ui.u32(Role::text), text.c_str());
  }
  float y = low.y + ui.px(29);
  const auto row = [&](const char* title, const std::string& value) {
    label_at(ui, list, {low.x + ui.px(8), y}, title, Role::text2, Face::ui, text_size::kTable);
    const float width = label_width(ui, value.c_str(), Face::mono, text_size::kTable);
    label_at(ui, list, {high.x - ui.px(8) - width, y}, value.c_str(), Role::text, Face::mono,
             text_size::kTable);
    y += ui.px(15);
  };
  row("CR", view::format_ratio(result.ratio));
  row("KL", result.kl ? kl_text(result.kl) + view::kThinSpace + "nats" : view::kUnknown);
  row("top-1", share_text(result.top1));
}

}  // namespace

void TuningPanel::draw_cards(PanelContext& context) {
  Ui& ui = context.ui;
  Workbench& bench = context.bench;
  const float gap = ui.px(8), width = ImGui::GetContentRegionAvail().x, height = ui.px(80);
  const float half = (width - gap) / 2;
  const bool holding = bench.holding_other();
  const ImVec2 a = ImGui::GetCursorScreenPos(), b{a.x + half + gap, a.y};
  view::CacheView* other = bench.other();
  const auto of_run = [&](const view::CacheView& view) {
    for (const view::RunResult& tried : bench.tried()) {
      if (tried.run_id == view.run().run_id()) return tried;
    }
    view::RunResult result = result_;
    if (view.run().run_id() != result.run_id) result = view::run_result(view);
    return result;
  };
  // While B is held it is what the window shows, and A is what waits.
  const view::RunResult first = holding && other != nullptr ? of_run(*other) : result_;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  card(ui, "A", first, a, {a.x + half, a.y + height}, !holding);
  drawn_item("card A", a, {a.x + half, a.y + height});
  ImGui::Dummy({half, height});
  ImGui::SameLine(0, gap);
  if (other != nullptr) {
    ImGui::InvisibleButton("card B", {half, height}, ImGuiButtonFlags_EnableNav);
    card(ui, "B", holding ? result_ : of_run(*other), b, {b.x + half, b.y + height}, holding);
    ImGui::SetItemTooltip("Hold to show B in every panel");
    if (ImGui::IsItemActive()) bench.hold_other();
  } else {
    ImGui::Dummy({half, height});
    list.AddRect(b, {b.x + half, b.y + height}, ui.u32(Role::line), ui.px(kCardRadius), 0, ui.px(1));
    letter(ui, list, {b.x + ui.px(8), b.y + ui.px(7)}, "B", false);
    const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
    list.AddText(nullptr, 0, {b.x + ui.px(8), b.y + ui.px(28)}, ui.u32(Role::text2),
                 "the run before this one, once there is one", nullptr, half - ui.px(16));
  }
  if (other == nullptr) return;
  key_caps(ui, "Space");
  ImGui::SameLine(0, ui.px(6));
  const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
  const char* rule =
      has_latch_ ? "hold to show B everywhere, release for A" : "shows B once this panel has the focus";
  label(ui, fit_text(rule, ImGui::GetContentRegionAvail().x).c_str(), Role::text2, Face::ui,
        text_size::kCaption);
}

void TuningPanel::draw_comparison(PanelContext& context) {
  Ui& ui = context.ui;
  Workbench& bench = context.bench;
  const std::int32_t s = bench.position();
  const view::CacheSize run = bench.cache().size(s);
  std::optional<view::CacheSize> preview;
  if (view::CacheView* settings = bench.preview()) preview = settings->size(s);
  ImGui::Dummy({0, ui.px(2)});
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, ImVec2(ui.px(3), ui.px(1)));
  // In a narrow panel the change goes: numbers that are cut say less.
  const float names = label_width(ui, "CR allocated", Face::ui, text_size::kTable);
  const bool changes = ImGui::GetContentRegionAvail().x >= names + ui.px(184);
  if (!ImGui::BeginTable("comparison", changes ? 4 : 3,
                         ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_RowBg))
    return ImGui::PopStyleVar();
  ImGui::TableSetupColumn("what", ImGuiTableColumnFlags_WidthFixed, names);
  ImGui::TableSetupColumn("verified", ImGuiTableColumnFlags_WidthStretch, 1);
  ImGui::TableSetupColumn("preview", ImGuiTableColumnFlags_WidthStretch, 1);
  if (changes) ImGui::TableSetupColumn("change", ImGuiTableColumnFlags_WidthFixed, ui.px(50));
  const auto row = [&](const char* name, const std::string& verified, const std::string& previewed,
                       const std::string& change) {
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    label(ui, name, Role::text2, Face::ui, text_size::kTable);
    ImGui::TableNextColumn();
    number_cell(ui, verified.c_str());
    ImGui::TableNextColumn();
    const bool unknown = previewed == view::kUnknown || previewed == view::kNotApplicable;
    number_cell(ui, previewed.c_str(), unknown ? Role::text3 : Role::accent);
    drawn_item(fmt::format("{}: preview {}", name, previewed).c_str(), ImGui::GetItemRectMin(),
               ImGui::GetItemRectMax());
    if (!changes) return;
    ImGui::TableNextColumn();
    number_cell(ui, change.c_str(), Role::text2);
  };
  const auto compared = [&](const char* name, const auto& value, const auto& format) {
    row(name, format(value(run)), preview ? format(value(*preview)) : view::kNotApplicable,
        preview ? view::format_change(static_cast<double>(value(run)), static_cast<double>(value(*preview)))
                : "");
  };
  ImGui::TableNextRow();
  ImGui::TableNextColumn();
  label(ui, fmt::format("at {}", view::format_token(s)).c_str(), Role::text3, Face::ui, text_size::kCaption);
  for (const auto& [name, role] : {std::pair("verified", Role::text), std::pair("preview", Role::accent),
                                   std::pair("change", Role::text3)}) {
    if (!changes && role == Role::text3) continue;
    ImGui::TableNextColumn();
    const float width = label_width(ui, name, Face::ui_strong, text_size::kCaption);
    ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0F, ImGui::GetContentRegionAvail().x - width));
    label(ui, name, role, Face::ui_strong, text_size::kCaption);
  }
  using Size = view::CacheSize;
  compared(
      "CR logical", [](const Size& size) { return size.logical_ratio(); },
      [](double ratio) { return view::format_ratio(ratio); });
  const std::string unknown_preview = preview ? view::kUnknown : view::kNotApplicable;
  row("CR allocated", view::format_or_unknown(run.allocated_ratio(), view::format_ratio), unknown_preview,
      "");
  compared(
      "Live slots", [](const Size& size) { return size.live_slots; },
      [](std::int64_t slots) { return view::format_count(slots); });
  compared(
      "Logical", [](const Size& size) { return size.logical_bytes(); },
      [](std::int64_t bytes) { return view::format_bytes(bytes); });
  row("Allocated", view::format_or_unknown(run.allocated_bytes(), view::format_bytes), unknown_preview, "");
  row("KL to dense", kl_text(result_.kl), unknown_preview, "");
  row("Top-1", share_text(result_.top1), unknown_preview, "");
  ImGui::EndTable();
  ImGui::PopStyleVar();
}

void TuningPanel::draw_verify(PanelContext& context) {
  Ui& ui = context.ui;
  Workbench& bench = context.bench;
  // Looks at the disk: now and then is enough.
  if (model_at_ < 0 || ImGui::GetTime() - model_at_ > 1) {
    model_ = rerun_model(bench);
    model_at_ = ImGui::GetTime();
  }
  const RerunModel& model = model_;
  const live::LiveStatus& live = bench.live();
  const bool other_policy = bench.run().run().policy != kPolicyNames[policy_];
  const bool changed = is_changed(context) || other_policy;
  ImGui::Dummy({0, ui.px(2)});
  if (!model.loaded && model.folder.empty()) {
    ImGui::PushTextWrapPos(0);
    label(ui, model.reason.c_str(), Role::text2, Face::ui, text_size::kTable);
    ImGui::PopTextWrapPos();
    if (button(ui, "Run a model…", ButtonKind::plain)) context.commands.run("run.choose_model");
  } else {
    const std::string cost =
        bench.run().finished() ? " ≈ " + view::format_duration(bench.run().last_ns()) : "";
    const std::string what = !model.loaded  ? "Load model, verify"
                             : other_policy ? "Run it"
                                            : "Verify preview";
    const float discard_width = ui.px(76), room = ImGui::GetContentRegionAvail().x;
    const float wanted = label_width(ui, (what + cost).c_str(), Face::ui_strong, text_size::kBody);
    const bool fits = wanted < room - discard_width - ui.px(22);
    const std::string text = fmt::format("{}{}###verify", what, fits ? cost : "");
    if (!changed) ImGui::BeginDisabled();
    if (button(ui, text.c_str(), ButtonKind::primary, {room - discard_width - ui.px(6), 0})) verify(context);
    ImGui::SameLine(0, ui.px(6));
    if (button(ui, "Discard", ButtonKind::plain, {discard_width, 0})) discard(context);
    if (!changed) ImGui::EndDisabled();
    const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
    ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(ui.px(4), ui.px(1)));
    ImGui::Checkbox("verify when the slider is released", &verify_on_release_);
    ImGui::PopStyleVar();
  }
  std::string state;
  if (live.state == live::LiveState::loading)
    state = fmt::format("loading {}: {}", live.stage, view::format_percent(live.share));
  if (live.state == live::LiveState::starting) state = "starting the run";
  if (live.state == live::LiveState::measuring) state = live.stage;
  if (!state.empty()) label(ui, state.c_str(), Role::text2, Face::ui, text_size::kTable);
  if (live.error && !live.running()) {
    ImGui::PushTextWrapPos(0);
    label(ui, live.error->message.c_str(), Role::error, Face::ui, text_size::kTable);
    ImGui::PopTextWrapPos();
  }
}

void TuningPanel::draw_tried(PanelContext& context) {
  Ui& ui = context.ui;
  Workbench& bench = context.bench;
  if (bench.tried().empty()) return;
  ImGui::Dummy({0, ui.px(2)});
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, ImVec2(ui.px(3), ui.px(1)));
  if (!ImGui::BeginTable("tried", 4, ImGuiTableFlags_NoSavedSettings)) return ImGui::PopStyleVar();
  ImGui::TableSetupColumn("settings", ImGuiTableColumnFlags_WidthStretch);
  for (const char* name : {"CR", "KL", "top-1"})
    ImGui::TableSetupColumn(name, ImGuiTableColumnFlags_WidthFixed, ui.px(48));
  ImGui::TableNextRow();
  ImGui::TableNextColumn();
  label(ui, "Tried", Role::text, Face::ui_strong, text_size::kTable);
  for (const char* name : {"CR", "KL", "top-1"}) {
    ImGui::TableNextColumn();
    number_cell(ui, name, Role::text3);
  }
  const view::CacheView* other = bench.other();
  for (auto tried = bench.tried().rbegin(); tried != bench.tried().rend(); ++tried) {
    const bool is_a = tried->run_id == bench.run().run_id(),
               is_b = other != nullptr && tried->run_id == other->run().run_id();
    ImGui::PushID(static_cast<int>(tried->run_id));
    ImGui::TableNextRow(0, ui.px(19));
    ImGui::TableNextColumn();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
    const bool previews =
        tried->policy == bench.run().run().policy && tried->policy != "dense" && bench.cache().closed_form();
    if (ImGui::Selectable("##tried", false, ImGuiSelectableFlags_SpanAllColumns, {0, ui.px(16)}) &&
        previews) {
      threshold_ = tried->threshold;
      window_ = tried->window;
      apply(context);
    }
    if (previews) ImGui::SetItemTooltip("Preview these settings");
    if (is_a || is_b) letter(ui, *ImGui::GetWindowDrawList(), at, is_a ? "A" : "B", is_a);
    const std::string text =
        fit_text(view::settings_text(*tried), ImGui::GetContentRegionAvail().x - ui.px(22));
    label_at(ui, *ImGui::GetWindowDrawList(), {at.x + ui.px(22), at.y}, text.c_str(), Role::text, Face::ui,
             text_size::kTable);
    for (const std::string& value :
         {view::format_ratio(tried->ratio), kl_text(tried->kl), share_text(tried->top1)}) {
      ImGui::TableNextColumn();
      number_cell(ui, value.c_str(), value == view::kUnknown ? Role::text3 : Role::text);
    }
    ImGui::PopID();
  }
  ImGui::EndTable();
  ImGui::PopStyleVar();
}

}  // namespace app::gui
