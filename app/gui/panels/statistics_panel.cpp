#include "app/gui/panels/statistics_panel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "app/gui/panels/facts_table.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"

namespace app::gui {

namespace {

constexpr std::int64_t kAtOnce = 300'000;  // cells whose logits fit into a frame
constexpr double kRefreshSeconds = 0.5;

std::string heads_text(const view::HeadSet& heads, const view::RunSnapshot& run) {
  if (heads.empty()) return fmt::format("all {} heads", view::format_count(run.heads()));
  if (heads.size() == 1) return view::format_head(heads.heads().front().layer, heads.heads().front().kv_head);
  return fmt::format("{} heads", view::format_count(static_cast<std::int64_t>(heads.size())));
}

struct StateRow {
  const char* name;
  Role role;
  std::int64_t count;
};

std::array<StateRow, 4> rows_of(const view::StateCounts& states) {
  return {{{"kept", Role::kept, states.kept},
           {"window", Role::window, states.window},
           {"doomed", Role::doomed, states.doomed},
           {"evicted", Role::evicted, states.evicted}}};
}

}  // namespace

StatisticsPanel::Question StatisticsPanel::question(const PanelContext& context) const {
  const Workbench& bench = context.bench;
  const view::Selection& selection = bench.selection();
  Question question;
  question.run_id = bench.run().run_id();
  question.sequence = bench.sequence().id();
  question.position = bench.position();
  question.tokens = selection.tokens.value_or(view::TokenRange{0, bench.position() + 1});
  question.tokens.end = std::min(question.tokens.end, bench.position() + 1);
  question.heads = selection.heads;
  view::StepRange steps = view::steps_of(bench.sequence(), question.tokens);
  if (selection.times) {
    // The steps that begin in it.
    const auto first_from = [&](std::int64_t ns) {
      std::int32_t low = 0, high = bench.run().step_count();
      while (low < high) {
        const std::int32_t middle = low + (high - low) / 2;
        (bench.run().step(middle).end_ns <= ns ? low : high) =
            middle + (bench.run().step(middle).end_ns <= ns ? 1 : 0);
      }
      return low;
    };
    const std::int32_t first = first_from(selection.times->begin_ns), count = bench.run().step_count();
    std::int32_t end = first;
    while (end < count && bench.run().step(end).start_ns < selection.times->end_ns && end - first < 100'000)
      ++end;
    if (first < end) steps = {bench.run().step(first).step, bench.run().step(end - 1).step + 1};
  }
  question.first_step = steps.begin;
  question.end_step = steps.end;
  return question;
}

void StatisticsPanel::refresh(PanelContext& context) {
  Workbench& bench = context.bench;
  if (auto done = job_.take()) {
    tokens_.logits = *done;
    has_logits_ = true;
  }
  const Question now = question(context);
  if (now == asked_) return;
  // Playing and decoding change it with every frame; people read slower.
  if (now.run_id == asked_.run_id && bench.busy() && ImGui::GetTime() - asked_at_ < kRefreshSeconds) return;
  if (job_.busy()) return;
  asked_ = now;
  asked_at_ = ImGui::GetTime();
  tokens_.tokens = now.tokens;
  tokens_.states = view::range_states(bench.cache(), now.tokens, now.heads, now.position);
  const view::StepRange steps{now.first_step, now.end_step};
  prefill_ = view::step_statistics(bench.run(), steps, engine::Phase::prefill);
  decode_ = view::step_statistics(bench.run(), steps, engine::Phase::decode);

  const view::TokenRange decided{now.tokens.begin,
                                 std::min(now.tokens.end, now.position - bench.cache().lag() + 1)};
  const double threshold = bench.cache().threshold();
  const auto heads =
      now.heads.empty() ? std::int64_t{bench.run().heads()} : static_cast<std::int64_t>(now.heads.size());
  auto snapshot = std::make_shared<const view::RunSnapshot>(bench.run());
  auto count = [snapshot, now, decided, threshold] {
    const view::SequenceView* sequence = snapshot->sequence(now.sequence);
    return sequence == nullptr ? view::LogitStatistics()
                               : view::logit_statistics(*sequence, snapshot->layers(), snapshot->kv_heads(),
                                                        threshold, decided, now.heads);
  };
  if (heads * std::max(0, decided.size()) <= kAtOnce) {
    tokens_.logits = count();
    has_logits_ = true;
  } else {
    job_.start(count, bench.waker());
  }
}

void StatisticsPanel::draw_about(PanelContext& context) {
  Ui& ui = context.ui;
  const view::Selection selection = context.bench.selection();  // a copy: the link below replaces it
  std::string what = selection.tokens ? "Selected tokens" : "All tokens so far";
  label(ui, what.c_str(), Role::text, Face::ui_strong, text_size::kTable);
  if (selection.tokens || !selection.heads.empty() || selection.times) {
    ImGui::SameLine();
    if (button(ui, "Clear selection", ButtonKind::link)) {
      view::Selection next = selection;
      next.tokens.reset();
      next.heads = {};
      next.times.reset();
      context.bench.select(std::move(next));
    }
  }
  const std::int32_t last = std::max(asked_.tokens.begin, asked_.tokens.end - 1);
  std::string about =
      fmt::format("{} to {}, {}, at {}", view::format_token(asked_.tokens.begin), view::format_token(last),
                  heads_text(asked_.heads, context.bench.run()), view::format_token(asked_.position));
  if (asked_.end_step > asked_.first_step) {
    about += fmt::format("; steps {} to {}{}", view::format_count(asked_.first_step),
                         view::format_count(asked_.end_step - 1), selection.times ? " by selected time" : "");
  }
  ImGui::PushTextWrapPos(0);
  label(ui, about.c_str(), Role::text2, Face::ui, text_size::kCaption);
  drawn_item(("about " + about).c_str(), ImGui::GetItemRectMin(), ImGui::GetItemRectMax());
  ImGui::PopTextWrapPos();
}

void StatisticsPanel::draw_state_bar(Ui& ui) {
  const std::int64_t born = tokens_.states.total() - tokens_.states.unborn;
  const ImVec2 low = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x, height = ui.px(12);
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddRectFilled(low, {low.x + width, low.y + height}, ui.u32(Role::evicted), ui.px(2));
  float x = low.x;
  for (const StateRow& row : rows_of(tokens_.states)) {
    if (born <= 0 || row.count <= 0) continue;
    const float end = x + width * static_cast<float>(row.count) / static_cast<float>(born);
    list.AddRectFilled({x, low.y}, {end, low.y + height}, ui.u32(row.role));
    if (row.role == Role::doomed)
      ui.hatch().fill(list, {x, low.y}, {end, low.y + height}, ui.color(Role::doomed_hatch), ui.metrics());
    x = end;
  }
  ImGui::Dummy({width, height});
}

void StatisticsPanel::draw_tokens(PanelContext& context) {
  Ui& ui = context.ui;
  const std::int64_t born = tokens_.states.total() - tokens_.states.unborn;
  facts_heading(ui, "Slots", fmt::format("{} cells, a token in a head each", view::format_count(born)));
  draw_state_bar(ui);
  if (!begin_facts(ui, "states", 96)) return;
  for (const StateRow& row : rows_of(tokens_.states)) {
    const double share = born > 0 ? static_cast<double>(row.count) / static_cast<double>(born) : 0;
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    {
      const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
      swatch(ui, row.role, 9);
    }
    ImGui::SameLine(0, ui.px(6));
    label(ui, row.name, Role::text2, Face::ui, text_size::kTable);
    ImGui::TableNextColumn();
    number_cell(
        ui, fmt::format("{}   {:>6}", view::format_count(row.count), view::format_percent(share)).c_str());
    drawn_item(fmt::format("{} {}", row.name, view::format_count(row.count)).c_str(), ImGui::GetItemRectMin(),
               ImGui::GetItemRectMax());
  }
  fact_number(ui, "still held",
              born > 0 ? view::format_percent(tokens_.kept_fraction()) : view::kNotApplicable);
  const std::int64_t held = born - tokens_.states.evicted;
  fact_number(ui, "ratio",
              held > 0 ? view::format_ratio(static_cast<double>(born) / static_cast<double>(held))
                       : view::kNotApplicable);
  end_facts();
}

void StatisticsPanel::draw_logits(PanelContext& context) {
  Ui& ui = context.ui;
  const view::LogitStatistics& logits = tokens_.logits;
  facts_heading(ui, "Logits", fmt::format("θ {}", view::format_logit(context.bench.cache().threshold())));
  if (!has_logits_) return label(ui, "counting…", Role::text2, Face::ui, text_size::kTable);
  if (logits.count == 0) {
    ImGui::PushTextWrapPos(0);
    label(ui, "None: this policy decides without logits, or nothing is decided yet.", Role::text2, Face::ui,
          text_size::kTable);
    ImGui::PopTextWrapPos();
    return;
  }
  if (!begin_facts(ui, "logits", 96)) return;
  fact_number(ui, "decided", view::format_count(logits.count) + (job_.busy() ? " …" : ""));
  fact_number(ui, "above θ",
              view::format_percent(static_cast<double>(logits.above) / static_cast<double>(logits.count)));
  fact_number(ui, "mean", view::format_logit(logits.mean));
  fact_number(ui, "least, greatest",
              fmt::format("{}, {}", view::format_logit(static_cast<double>(logits.least)),
                          view::format_logit(static_cast<double>(logits.greatest))));
  end_facts();
}

void StatisticsPanel::draw_steps(PanelContext& context) {
  Ui& ui = context.ui;
  facts_heading(ui, "Steps");
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, ImVec2(ui.px(4), ui.px(1)));
  if (ImGui::BeginTable("steps", 3, ImGuiTableFlags_NoSavedSettings)) {
    ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthFixed, ui.px(96));
    ImGui::TableSetupColumn("prefill");
    ImGui::TableSetupColumn("decode");
    const auto row = [&](const char* name, const auto& text, Role role) {
      ImGui::TableNextRow();
      ImGui::TableNextColumn();
      label(ui, name, Role::text2, Face::ui, text_size::kTable);
      for (const view::StepStatistics* of : {&prefill_, &decode_}) {
        ImGui::TableNextColumn();
        const std::string value = of->steps > 0 ? text(*of) : std::string(view::kNotApplicable);
        number_cell(ui, value.c_str(), role);
      }
    };
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    for (const char* name : {"prefill", "decode"}) {
      ImGui::TableNextColumn();
      number_cell(ui, name, Role::text3);
    }
    using Steps = view::StepStatistics;
    row(
        "steps", [](const Steps& s) { return view::format_count(s.steps); }, Role::text);
    row(
        "tokens", [](const Steps& s) { return view::format_count(s.tokens); }, Role::text);
    row(
        "speed", [](const Steps& s) { return view::format_rate(s.tokens_per_second(), "tok/s"); },
        Role::text);
    row(
        "mean", [](const Steps& s) { return view::format_duration(s.mean_ns); }, Role::text2);
    row(
        "P50", [](const Steps& s) { return view::format_duration(s.p50_ns); }, Role::text2);
    row(
        "P95", [](const Steps& s) { return view::format_duration(s.p95_ns); }, Role::text2);
    row(
        "P99", [](const Steps& s) { return view::format_duration(s.p99_ns); }, Role::text2);
    row(
        "KV reads", [](const Steps& s) { return view::format_count(s.kv_reads); }, Role::text);
    ImGui::EndTable();
  }
  ImGui::PopStyleVar();
  label(ui, "KV reads in slots, of all sequences of the batch", Role::text3, Face::ui, text_size::kCaption);
}

void StatisticsPanel::draw(PanelContext& context) {
  if (context.bench.position() < 0) {
    empty_state(context.ui, "Nothing to count yet", "The first tokens are being processed.", nullptr);
    return;
  }
  refresh(context);
  draw_about(context);
  draw_tokens(context);
  draw_logits(context);
  draw_steps(context);
}

}  // namespace app::gui
