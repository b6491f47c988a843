#include "app/gui/panels/kernels_panel.hpp"

#include <fmt/format.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"
#include "app/view/kernel_csv.hpp"
#include "app/view/profile_facts.hpp"
#include "app/view/range_statistics.hpp"

namespace app::gui {

namespace {

constexpr double kRefreshSeconds = 0.5;
constexpr engine::Step kRecentSteps = 64;
constexpr std::size_t kAtOnce = 30'000;  // spans whose table costs less than a thread's start is worth
constexpr std::array kRangeNames{"this step", "64 steps", "selection", "all steps"};
constexpr std::array kByNames{"operation", "kernel"};

engine::Step shown_step(const Workbench& bench) {
  const std::int32_t position = bench.position();
  return position >= 0 && position < bench.sequence().tokens() ? bench.sequence().token(position).step : -1;
}

bool anything_selected(const view::Selection& selection) {
  return selection.times || selection.tokens || !selection.heads.empty();
}

std::string stamp() {
  const std::time_t now = std::time(nullptr);
  std::tm time{};
  localtime_r(&now, &time);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%d-%H%M%S", &time);
  return text.data();
}

void save_csv(Notices& notices, const std::string& csv) {
  std::error_code error;
  const auto path = std::filesystem::current_path(error) / fmt::format("dmscope-kernels-{}.csv", stamp());
  std::ofstream file(path, std::ios::binary);
  file << csv;
  file.close();
  if (!file) {
    notices.add(NoticeLevel::error, fmt::format("{}: cannot be written", path.string()));
  } else {
    notices.add(NoticeLevel::info, fmt::format("Saved {}", path.string()));
  }
}

}  // namespace

KernelsPanel::Question KernelsPanel::question(const PanelContext& context) const {
  Question question;
  question.run_id = context.bench.run().run_id();
  question.version = context.bench.run().version();
  question.range = range_;
  if (range_ == Range::step || range_ == Range::recent) question.step = shown_step(context.bench);
  if (range_ == Range::selection) {
    question.selection.times = context.bench.selection().times;
    question.selection.tokens = context.bench.selection().tokens;
    question.selection.heads = context.bench.selection().heads;
  }
  question.by = by_;
  question.filter = filter_in_force_;
  return question;
}

view::KernelTableOptions KernelsPanel::options(const PanelContext& context) const {
  view::KernelTableOptions options;
  options.by = by_ == 0 ? view::KernelTableOptions::By::operation : view::KernelTableOptions::By::kernel;
  options.filter = filter_;
  const engine::Step step = shown_step(context.bench);
  if (range_ == Range::step) options.steps = view::StepRange{step, step + 1};
  if (range_ == Range::recent)
    options.steps = view::StepRange{std::max<engine::Step>(0, step - kRecentSteps + 1), step + 1};
  if (range_ == Range::selection) {
    const view::Selection& selection = context.bench.selection();
    options.times = selection.times;
    options.heads = selection.heads;
    if (selection.tokens) options.steps = view::steps_of(context.bench.sequence(), *selection.tokens);
  }
  return options;
}

void KernelsPanel::refresh(PanelContext& context) {
  const view::RunSnapshot& run = context.bench.run();
  if (table_run_ != run.run_id()) {
    table_run_ = run.run_id();
    has_table_ = false;
  }
  const auto accept = [&](view::KernelTable table) {
    table_ = std::move(table);
    table_view_.sort(table_);
    has_table_ = true;
  };
  using namespace std::chrono_literals;
  // Nothing better to show yet: worth a moment's wait.
  if (auto done = job_.take(has_table_ ? 0ms : 15ms)) accept(std::move(*done));
  const Question now = question(context);
  if (job_.busy() || (has_table_ && now == asked_)) return;
  Question same_but_newer = now;
  same_but_newer.version = asked_.version;
  const bool only_grew = has_table_ && same_but_newer == asked_;
  if (only_grew && context.bench.busy() && ImGui::GetTime() - asked_at_ < kRefreshSeconds) return;
  asked_ = now;
  asked_at_ = ImGui::GetTime();
  if (run.spans().size() <= kAtOnce) return accept(view::kernel_table(run, options(context), *charged_));
  auto snapshot = std::make_shared<const view::RunSnapshot>(run);
  job_.start([snapshot, wanted = options(context),
              charged = charged_] { return view::kernel_table(*snapshot, wanted, *charged); },
             context.bench.waker());
}

void KernelsPanel::draw_toolbar(PanelContext& context) {
  Ui& ui = context.ui;
  const float room = ImGui::GetContentRegionAvail().x;
  const float combos = ui.px(92) + ui.px(96) + 2 * ui.px(4);
  const bool one_row = room >= combos + ui.px(180);
  const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(ui.px(6), ui.px(2)));
  ImGui::SetNextItemWidth(one_row ? room - combos : room);
  if (!filter_error_.empty()) ImGui::PushStyleColor(ImGuiCol_Text, ui.u32(Role::error));
  const bool edited =
      ImGui::InputTextWithHint("##filter", "filter: dur > 20us and name ~ attn", &filter_text_);
  if (!filter_error_.empty()) ImGui::PopStyleColor();
  if (edited) {
    const auto parsed = view::SpanFilter::parse(filter_text_);
    const bool blank = filter_text_.find_first_not_of(' ') == std::string::npos;
    filter_error_ = parsed || blank ? "" : parsed.error().message;
    if (parsed || blank) {
      filter_ = parsed ? *parsed : view::SpanFilter();
      filter_in_force_ = blank ? "" : filter_text_;
    }
  }
  if (one_row) ImGui::SameLine(0, ui.px(4));
  const auto combo = [&](const char* id, auto& names, int& chosen, float width) {
    ImGui::SetNextItemWidth(width);
    return app::gui::combo(ui, id, chosen, names);
  };
  int range = static_cast<int>(range_);
  if (combo("##range", kRangeNames, range, ui.px(92))) range_ = static_cast<Range>(range);
  ImGui::SetItemTooltip("Which steps the table is about");
  ImGui::SameLine(0, ui.px(4));
  combo("##by", kByNames, by_, ui.px(96));
  ImGui::PopStyleVar();
  if (!filter_error_.empty()) {
    ImGui::PushTextWrapPos(0);
    label(ui, filter_error_.c_str(), Role::error, Face::ui, text_size::kCaption);
    drawn_item("filter error", ImGui::GetItemRectMin(), ImGui::GetItemRectMax());
    ImGui::PopTextWrapPos();
  }
}

std::string KernelsPanel::range_text(const PanelContext& context) const {
  const std::string step = view::format_count(shown_step(context.bench));
  switch (range_) {
    case Range::step:
      return "in step " + step;
    case Range::recent:
      return fmt::format("in {} steps up to {}",
                         std::min<engine::Step>(kRecentSteps, shown_step(context.bench) + 1), step);
    case Range::selection:
      return "in the selection";
    case Range::all:
      break;
  }
  return fmt::format("in all {} steps", view::format_count(context.bench.run().step_count()));
}

void KernelsPanel::draw_footer(PanelContext& context) {
  Ui& ui = context.ui;
  const std::int64_t dropped = context.bench.run().spans().dropped();
  const std::string text =
      fmt::format("{} {} {}, {} dropped", view::format_count(table_.calls), by_ == 0 ? "spans" : "kernels",
                  range_text(context), view::format_count(dropped));
  const float links = ui.px(150);
  const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
  const float room = ImGui::GetContentRegionAvail().x;
  ImGui::AlignTextToFramePadding();
  label(ui, fit_text(text, room - links).c_str(), dropped > 0 ? Role::warning : Role::text2, Face::ui,
        text_size::kCaption);
  ImGui::SameLine(std::max(0.0F, ImGui::GetCursorPosX() + room - links + ui.px(8)));
  if (button(ui, "Copy CSV", ButtonKind::link)) {
    ImGui::SetClipboardText(view::kernel_table_csv(table_).c_str());
    context.notices.add(NoticeLevel::info, "The kernel table is in the clipboard as CSV");
  }
  ImGui::SameLine(0, ui.px(2));
  if (button(ui, "Save CSV", ButtonKind::link)) save_csv(context.notices, view::kernel_table_csv(table_));
}

void KernelsPanel::draw(PanelContext& context) {
  Ui& ui = context.ui;
  const view::RunSnapshot& run = context.bench.run();
  if (run.spans().size() == 0) {
    empty_state(ui, "No kernel timings", view::why_no_timings(run, context.bench.busy()).c_str(), nullptr);
    return;
  }
  refresh(context);
  draw_toolbar(context);
  const float foot = ui.px(28);
  const float height = std::max(ui.px(60), ImGui::GetContentRegionAvail().y - foot);
  if (range_ == Range::selection && !anything_selected(context.bench.selection())) {
    const float top = ImGui::GetCursorPosY();
    label(ui, "Nothing is selected: Ctrl-drag over tokens or over the timeline.", Role::text2, Face::ui,
          text_size::kTable);
    ImGui::SetCursorPosY(top + height);
  } else if (!has_table_) {
    label(ui, "computing…", Role::text2, Face::ui, text_size::kTable);
  } else if (table_.rows.empty()) {
    const float top = ImGui::GetCursorPosY();
    label(ui, "Nothing matches in this range.", Role::text2, Face::ui, text_size::kTable);
    ImGui::SetCursorPosY(top + height);
  } else {
    table_view_.draw(context, table_, by_ == 0 ? "Operation" : "Kernel", height);
  }
  draw_footer(context);
}

}  // namespace app::gui
