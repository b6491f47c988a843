#include "app/gui/panels/trace_panel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>

#include "app/gui/panels/facts_table.hpp"
#include "app/gui/shell/run_state.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"
#include "app/view/profile_facts.hpp"

namespace app::gui {

namespace {

constexpr double kLookSeconds = 2;  // a growing file
constexpr std::int32_t kMaxNotices = 200;

std::string local_time(std::int64_t unix_ns) {
  const std::time_t seconds = unix_ns / 1'000'000'000;
  std::tm time{};
  if (unix_ns <= 0 || localtime_r(&seconds, &time) == nullptr) return view::kUnknown;
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &time);
  return text.data();
}

std::string state_text(const Workbench& bench) {
  if (bench.run().finished()) return "finished: " + bench.run().finish()->reason;
  if (const live::TraceStatus* trace = bench.trace()) {
    switch (trace->state) {
      case live::TraceState::opening:
      case live::TraceState::replaying:
        return fmt::format("being read, {}", view::format_percent(trace->share));
      case live::TraceState::following:
        return "still recorded, followed";
      case live::TraceState::silent:
      case live::TraceState::failed:
        return "not finished: " + trace->reason;
      case live::TraceState::finished:
      case live::TraceState::cancelled:
        break;
    }
    return "not finished";
  }
  return bench.decoding() ? "running" : "paused";
}

std::string yes_no(bool value) {
  return value ? "yes" : "no";
}

}  // namespace

std::int64_t TracePanel::file_bytes(const PanelContext& context) {
  const auto path = context.bench.trace_path();
  if (looked_at_ >= 0 && ImGui::GetTime() - looked_at_ < kLookSeconds) return bytes_;
  looked_at_ = ImGui::GetTime();
  std::error_code error;
  bytes_ = path.empty() ? -1 : static_cast<std::int64_t>(std::filesystem::file_size(path, error));
  if (error) bytes_ = -1;
  return bytes_;
}

// How the kernels of a GPU were timed, what that cost and what is missing; no facts for other runs.
TracePanel::Section TracePanel::profiling_section(const view::RunSnapshot& run) {
  const view::ProfileFacts facts = view::profile_facts(run);
  Section section{"GPU profiling", {}};
  if (!facts.on_gpu) return section;
  const auto add = [&](const std::string& name, std::string value, Role role = Role::text) {
    section.facts.push_back({name, std::move(value), role});
  };
  const engine::Step last = run.step_count() > 0 ? run.step(run.step_count() - 1).step : 0;
  add("timed by", view::timer_text(facts, last));
  add("profile", view::mode_text(facts));
  for (const std::string& why : facts.fall_backs) add("fell back", why, Role::warning);
  if (const std::string cost = view::cost_text(facts); !cost.empty())
    add("profiling cost", cost + ". " + view::cost_about(facts));
  add("copy ceiling", facts.copy_ceiling_gb_per_s
                          ? view::format_bandwidth(*facts.copy_ceiling_gb_per_s) + ", measured on this GPU"
                          : std::string("not measured in this run: shares of it are not known"));
  bool complete = true;
  for (const engine::RecordsLost& lost : run.losses()) {
    if (lost.count <= 0) continue;
    complete = false;
    add(lost.what, fmt::format("{}: {}", view::format_count(lost.count), lost.meaning), Role::warning);
  }
  if (complete) add("lost", "nothing");
  return section;
}

std::vector<TracePanel::Section> TracePanel::sections(const PanelContext& context) const {
  const view::RunSnapshot& snapshot = context.bench.run();
  const engine::RunStarted& run = snapshot.run();
  const engine::ModelShape& shape = run.shape;
  const auto path = context.bench.trace_path();
  const bool has_losses = snapshot.ignored_events() > 0 || snapshot.spans().dropped() > 0;
  std::vector<Section> sections;
  sections.push_back({"Run",
                      {{"state", state_text(context.bench)},
                       {"started", local_time(run.start_unix_ns)},
                       {"took", view::format_duration(snapshot.last_ns())},
                       {"file", path.empty() ? "not recorded" : path.string()},
                       {"size", bytes_ >= 0 ? view::format_bytes(bytes_) : std::string(view::kNotApplicable)},
                       {"recorded by", "DMScope " + run.program_version}}});
  sections.push_back({"Model",
                      {{"name", run.model_name},
                       {"architecture", fmt::format("{}, weights {}", run.architecture, run.weight_dtype)},
                       {"shape", fmt::format("{} layers × {} query / {} KV heads × {}", shape.layers,
                                             shape.query_heads, shape.kv_heads, shape.head_dim)},
                       {"hidden, vocabulary", fmt::format("{}, {}", view::format_count(shape.hidden),
                                                          view::format_count(shape.vocab))},
                       {"longest context", view::format_count(shape.max_positions) + " tokens"},
                       {"device", run.device}}});
  Section policy{"Policy", {{"policy", run.policy}}};
  const auto add = [&](const char* name, std::string value) {
    policy.facts.push_back({name, std::move(value)});
  };
  if (run.closed_form && run.policy != "dense") {
    add("window", view::format_count(run.window) + " tokens");
    add("threshold θ", view::format_logit(run.threshold));
    add("lag", fmt::format("{} {}", run.lag, run.lag == 1 ? "step" : "steps"));
  }
  if (run.target_cr > 0) add("target ratio", view::format_ratio(run.target_cr));
  if (run.sinks > 0) add("sinks", view::format_count(run.sinks));
  add("closed form",
      run.closed_form ? "yes: any moment follows from the decisions" : "no: evictions are recorded");
  add("gates", run.gate_form.empty() ? std::string(view::kUnknown) : run.gate_form);
  if (run.gate_form != "none" && !run.gate_form.empty()) {
    add("gate scale, offset", fmt::format("{}, {}", run.alpha_scale, run.alpha_offset));
    add("one gate per layer", yes_no(run.gates_per_layer));
    if (run.gate_form == "borrowed neuron") add("zeroed after RoPE", yes_no(run.zero_after_rope));
  }
  add("page", fmt::format("{} slots of {}", run.page_slots, view::format_bytes(run.slot_bytes)));
  sections.push_back(std::move(policy));
  Section sampling{
      "Sampling",
      {{"temperature", run.temperature == 0 ? "0 (greedy)" : fmt::format("{:.2f}", run.temperature)}}};
  if (run.temperature > 0) {
    sampling.facts.push_back(
        {"top-p, top-k",
         fmt::format("{:.2f}, {}", run.top_p, run.top_k == 0 ? "off" : std::to_string(run.top_k))});
    sampling.facts.push_back({"seed", std::to_string(run.seed)});
  }
  sampling.facts.push_back({"chains", view::format_count(run.chains)});
  sections.push_back(std::move(sampling));
  Section losses{"Records", {}};
  losses.facts.push_back({"steps", view::format_count(snapshot.step_count())});
  losses.facts.push_back(
      {"timed operations", view::format_count(static_cast<std::int64_t>(snapshot.spans().size()))});
  losses.facts.push_back({"dropped",
                          fmt::format("{}{}", view::format_count(snapshot.spans().dropped()),
                                      snapshot.spans().dropped() > 0 ? " timed operations, the oldest" : ""),
                          has_losses && snapshot.spans().dropped() > 0 ? Role::warning : Role::text});
  const auto cost = recording_cost(context.bench);
  losses.facts.push_back({"not recorded",
                          cost ? fmt::format("{} timed operations", view::format_count(cost->dropped_spans))
                               : std::string(view::kNotApplicable),
                          cost && cost->dropped_spans > 0 ? Role::warning : Role::text});
  losses.facts.push_back({"recording cost", recording_cost_text(context.bench)});
  losses.facts.push_back({"ignored events",
                          fmt::format("{}{}", view::format_count(snapshot.ignored_events()),
                                      snapshot.ignored_events() > 0 ? ", they contradict earlier ones" : ""),
                          snapshot.ignored_events() > 0 ? Role::warning : Role::text});
  losses.facts.push_back({"quality measures", snapshot.quality_count() > 0
                                                  ? view::format_count(snapshot.quality_count())
                                                  : std::string("none: run with quality against dense")});
  sections.push_back(std::move(losses));
  if (Section profiling = profiling_section(snapshot); !profiling.facts.empty())
    sections.push_back(std::move(profiling));
  Section parameters{"Parameters", {}};
  for (std::int32_t i = 0; i < std::min(snapshot.parameter_count(), kMaxNotices); ++i) {
    const auto& changed = snapshot.parameter(i);
    if (changed.name.starts_with("profile") || changed.name.starts_with("copy_ceiling"))
      continue;  // told above
    parameters.facts.push_back(
        {changed.name, fmt::format("{} from step {}", changed.value, view::format_count(changed.step))});
  }
  if (!parameters.facts.empty()) sections.push_back(std::move(parameters));
  Section notices{fmt::format("Notices ({})", snapshot.notice_count()), {}};
  for (std::int32_t i = 0; i < std::min(snapshot.notice_count(), kMaxNotices); ++i)
    notices.facts.push_back({std::to_string(i + 1), snapshot.notice(i), Role::warning});
  if (notices.facts.empty()) notices.facts.push_back({"", "none", Role::text2});
  sections.push_back(std::move(notices));
  return sections;
}

void TracePanel::draw_sequences(PanelContext& context) {
  Ui& ui = context.ui;
  const auto& sequences = context.bench.run().sequences();
  facts_heading(ui, "Sequences", sequences.size() > 1 ? "click one to look at it" : "");
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, ImVec2(ui.px(4), ui.px(1)));
  if (ImGui::BeginTable("sequences", 3, ImGuiTableFlags_NoSavedSettings)) {
    ImGui::TableSetupColumn("sequence", ImGuiTableColumnFlags_WidthStretch, 1);
    ImGui::TableSetupColumn("tokens", ImGuiTableColumnFlags_WidthStretch, 1);
    ImGui::TableSetupColumn("from", ImGuiTableColumnFlags_WidthStretch, 1.6F);
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(sequences.size()));
    while (clipper.Step()) {
      for (int row = clipper.DisplayStart; row < clipper.DisplayEnd; ++row) {
        const view::SequenceView& sequence = sequences[static_cast<std::size_t>(row)];
        const bool shown = sequence.id() == context.bench.sequence().id();
        ImGui::TableNextRow();
        ImGui::TableNextColumn();
        if (shown) ImGui::TableSetBgColor(ImGuiTableBgTarget_RowBg1, ui.u32(Role::accent_dim));
        const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
        if (ImGui::Selectable(fmt::format("sequence {}", sequence.id()).c_str(), false,
                              ImGuiSelectableFlags_SpanAllColumns) &&
            !shown) {
          view::Selection next = context.bench.selection();
          next.sequence = sequence.id();
          next.position.reset();
          context.bench.select(std::move(next));
        }
        ImGui::TableNextColumn();
        number_cell(ui, (view::format_count(sequence.tokens()) + view::kThinSpace + "tokens").c_str());
        ImGui::TableNextColumn();
        const std::string from = sequence.parent() < 0
                                     ? "begins empty"
                                     : fmt::format("forks {} at {}", sequence.parent(),
                                                   view::format_token(sequence.fork_position()));
        label(ui, ("   " + from).c_str(), Role::text2, Face::ui, text_size::kTable);
      }
    }
    ImGui::EndTable();
  }
  ImGui::PopStyleVar();
}

void TracePanel::draw(PanelContext& context) {
  Ui& ui = context.ui;
  file_bytes(context);
  const std::vector<Section> all = sections(context);
  if (button(ui, "Copy as text", ButtonKind::link)) {
    std::string text;
    for (const Section& section : all) {
      text += section.title + "\n";
      for (const Fact& fact : section.facts) text += fmt::format("  {}: {}\n", fact.name, fact.value);
    }
    ImGui::SetClipboardText(text.c_str());
    context.notices.add(NoticeLevel::info, "What this run is, is in the clipboard");
  }
  bool first = true;
  for (const Section& section : all) {
    facts_heading(ui, section.title.c_str());
    if (begin_facts(ui, section.title.c_str(), 116)) {
      for (const Fact& fact : section.facts) {
        fact_text(ui, fact.name.c_str(), fact.value, fact.role);
        if (!drawn_items_wanted()) continue;
        drawn_item(fmt::format("{}: {}", fact.name, fact.value).c_str(), ImGui::GetItemRectMin(),
                   ImGui::GetItemRectMax());
      }
      end_facts();
    }
    if (first) draw_sequences(context);
    first = false;
  }
}

}  // namespace app::gui
