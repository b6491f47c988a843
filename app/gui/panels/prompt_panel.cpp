#include "app/gui/panels/prompt_panel.hpp"

#include <fmt/format.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "app/gui/fonts/icons.hpp"
#include "app/gui/shell/run_state.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/gui/workbench/places.hpp"
#include "app/view/format.hpp"
#include "app/view/run_curves.hpp"

namespace app::gui {

namespace {

// Longer than the default model's window of 64 tokens, with something to remember and something to forget.
constexpr const char* kFirstPrompt =
    "The ferry to Skarn leaves at noon, when it leaves at all. On Tuesday the harbour master, a patient "
    "woman named "
    "Ilse Brandt, walked down to the quay with a thermos of coffee and a letter for the lighthouse. The "
    "locker for "
    "parcels stood beside the ticket window, painted green, and its code was 4917. She wrote the code on the "
    "inside of "
    "her glove, as she always did, because the wind took paper.\n\n"
    "The fog came in before the boat did. Three passengers waited on the bench: a teacher with a crate of "
    "oranges, a "
    "boy who was learning the accordion, and an old sailor who claimed to have seen a whale with a bell "
    "around its "
    "neck. They shared the oranges. The boy played the one tune he knew, slowly, and the sailor corrected "
    "the rhythm "
    "with his stick. By three o'clock the fog had eaten the end of the pier, and the horn of the ferry "
    "sounded as if "
    "it came from under the water.\n\n"
    "When the boat finally tied up, nobody hurried. Ilse put the letter into the locker for the mate to "
    "collect, shut "
    "the door, and told the passengers that the sea was calm behind the fog, which was true as far as she "
    "knew.\n\n"
    "Summarize the story in three sentences and mention the code.";

// A heading over a group of fields.
void group(Ui& ui, const char* title) {
  ImGui::Dummy({0, ui.px(4)});
  label(ui, title, Role::text, Face::ui_strong, text_size::kTable);
}

bool is_loaded(const live::LiveStatus& live) {
  return live.model != nullptr;
}

}  // namespace

PromptPanel::PromptPanel() {
  form_.prompt = kFirstPrompt;
}

void PromptPanel::draw(PanelContext& context) {
  adopt(context.bench);
  Ui& ui = context.ui;
  const float actions = ui.px(height::kButton) + ui.px(46);
  const float room = ImGui::GetContentRegionAvail().y;
  ImGui::BeginChild("form", {0, std::max(ui.px(60), room - actions)});
  draw_model(context);
  draw_prompt(context);
  draw_policy(context);
  draw_sampling(context);
  draw_device(context);
  draw_record(context);
  ImGui::EndChild();
  draw_actions(context);
}

// What is shown can be asked again, unless the form was edited for another run.
void PromptPanel::adopt(const Workbench& bench) {
  if (!bench.has_run() || bench.holding_other() || bench.run().run_id() == run_id_) return;
  run_id_ = bench.run().run_id();
  const engine::RunStarted& run = bench.run().run();
  if (edited_ || run.prompt.empty()) return;
  const bool record = form_.record;
  if (bench.source() == RunSource::live) {
    form_ = form_of(bench.options(), run.prompt);
  } else {
    const std::int32_t sampled = bench.sequence().tokens() - view::prompt_positions(bench.sequence());
    form_ = form_of(run, std::max(256, sampled));
  }
  form_.record = record;
}

void PromptPanel::draw_model(PanelContext& context) {
  Ui& ui = context.ui;
  const live::LiveStatus& live = context.bench.live();
  group(ui, "Model");
  const float choose = label_width(ui, "Choose\u2026", Face::ui, text_size::kBody) + ui.px(18);
  const float room = ImGui::GetContentRegionAvail().x;
  const std::string name = live.folder.empty() ? std::string("none chosen") : live.folder.filename().string();
  ImGui::AlignTextToFramePadding();
  {
    const FontScope font(ui.fonts(), Face::ui, text_size::kBody);
    const std::string fitted = fit_text(name, room - choose - ui.px(8));
    label(ui, fitted.c_str(), live.folder.empty() ? Role::text2 : Role::text);
    if (!live.folder.empty()) ImGui::SetItemTooltip("%s", live.folder.c_str());
  }
  ImGui::SameLine(std::max(ui.px(40), room - choose));
  if (button(ui, "Choose\u2026", ButtonKind::plain, {choose, ui.px(22)}))
    context.commands.run("run.choose_model");
  ImGui::SetItemTooltip("A Hugging Face folder with config.json, weights and tokenizer");
  if (live.state == live::LiveState::loading) {
    const std::string stage = fmt::format("{} {}", live.stage, view::format_percent(live.share));
    const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
    ImGui::ProgressBar(static_cast<float>(live.share), {-1, ui.px(16)}, stage.c_str());
    return;
  }
  if (is_loaded(live)) {
    const engine::Model& model = *live.model;
    const bool gates = model.dms.form != engine::GateForm::none;
    const std::string facts =
        gates ? fmt::format("loaded: {} layers \u00d7 {} KV heads, learned gates with window {}",
                            model.config.layers, model.config.kv_heads, model.dms.window)
              : fmt::format("loaded: {} layers \u00d7 {} KV heads, no learned gates", model.config.layers,
                            model.config.kv_heads);
    ImGui::PushTextWrapPos(0);
    label(ui, facts.c_str(), Role::text2, Face::ui, text_size::kCaption);
    ImGui::PopTextWrapPos();
    return;
  }
  const Command* load = context.commands.find("run.default_model");
  if (load != nullptr && context.commands.is_enabled(*load)) {
    if (button(ui, "Load the default model", ButtonKind::link)) context.commands.run(load->id);
  } else {
    label(ui, "The default model is not set up: run scripts/run once.", Role::text2, Face::ui,
          text_size::kCaption);
  }
}

void PromptPanel::draw_prompt(PanelContext& context) {
  Ui& ui = context.ui;
  group(ui, "Prompt");
  ImGui::SameLine();
  if (form_.prompt.size() != counted_bytes_) {
    counted_bytes_ = form_.prompt.size();
    const auto begins = [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; };
    characters_ = std::count_if(form_.prompt.begin(), form_.prompt.end(), begins);
  }
  const std::string size = fmt::format("{} characters", view::format_count(characters_));
  const float width = label_width(ui, size.c_str(), Face::ui, text_size::kCaption);
  const float right = ImGui::GetContentRegionMax().x - width;
  if (right > ImGui::GetCursorPosX()) {
    ImGui::SetCursorPosX(right);
    label(ui, size.c_str(), Role::text3, Face::ui, text_size::kCaption);
  } else {
    ImGui::NewLine();
  }
  const float tall = std::clamp(ImGui::GetWindowHeight() * 0.32F, ui.px(90), ui.px(360));
  if (ImGui::InputTextMultiline("##prompt", &form_.prompt, {-1, tall},
                                ImGuiInputTextFlags_WordWrap | ImGuiInputTextFlags_AllowTabInput))
    edited_ = true;
  int raw = form_.raw ? 1 : 0;
  constexpr std::array kForms{"Chat", "Raw text"};
  if (segmented(ui, "form", kForms, raw)) {
    form_.raw = raw == 1;
    edited_ = true;
  }
  if (form_.raw) return;
  field(ui, "System", form_.system, "the template's own", "What the chat template says before the prompt");
  const auto thinking = [&] {
    constexpr std::array kThinking{"as the template has it", "on", "off"};
    if (combo(ui, "##thinking", form_.thinking, kThinking)) edited_ = true;
  };
  ImGui::AlignTextToFramePadding();
  label(ui, "Thinking", Role::text2, Face::ui, text_size::kTable);
  ImGui::SameLine(ui.px(96));
  ImGui::SetNextItemWidth(-1);
  thinking();
  ImGui::SetItemTooltip("Qwen3 only: whether it thinks before it answers");
}

void PromptPanel::field(Ui& ui, const char* name, std::string& value, const char* hint, const char* help) {
  ImGui::AlignTextToFramePadding();
  label(ui, name, Role::text2, Face::ui, text_size::kTable);
  ImGui::SameLine(ui.px(96));
  ImGui::SetNextItemWidth(-1);
  ImGui::PushID(name);
  if (ImGui::InputTextWithHint("##value", hint, &value)) edited_ = true;
  ImGui::PopID();
  ImGui::SetItemTooltip("%s", help);
}

void PromptPanel::draw_policy(PanelContext& context) {
  Ui& ui = context.ui;
  group(ui, "What stays in the cache");
  ImGui::AlignTextToFramePadding();
  label(ui, "Policy", Role::text2, Face::ui, text_size::kTable);
  ImGui::SameLine(ui.px(96));
  ImGui::SetNextItemWidth(-1);
  const bool open = begin_combo(ui, "##policy", kPolicies[form_.policy].title);
  if (open) {
    for (int index = 0; index < static_cast<int>(std::size(kPolicies)); ++index) {
      if (ImGui::Selectable(kPolicies[index].title, index == form_.policy)) {
        form_.policy = index;
        edited_ = true;
      }
    }
  }
  end_combo(ui, open);
  if (takes_window(form_))
    field(ui, "Window", form_.window, "the checkpoint's", "Steps for which a marked token stays visible");
  if (takes_threshold(form_)) {
    field(ui, "Threshold \u03b8", form_.threshold, "0", "A token is marked where its logit is above this");
    field(ui, "Target CR", form_.target_cr, "none",
          "Chooses the threshold for this compression ratio instead");
  }
  if (takes_sinks(form_)) field(ui, "Sinks", form_.sinks, "4", "First tokens that are never evicted");
}

void PromptPanel::draw_sampling(PanelContext& context) {
  Ui& ui = context.ui;
  group(ui, "Sampling");
  field(ui, "Tokens", form_.tokens, "256", "To generate, per chain");
  field(ui, "Chains", form_.chains, "1", "Answers to the same prompt, decoded side by side");
  field(ui, "Temperature", form_.temperature, "0", "0 takes the likeliest token");
  field(ui, "Top-p", form_.top_p, "1", "The likeliest tokens that together reach this probability");
  field(ui, "Top-k", form_.top_k, "0", "This many of the likeliest tokens; 0: all");
  field(ui, "Seed", form_.seed, "0", "The same seed gives the same answer");
  if (ImGui::Checkbox("go on after the end of the text", &form_.ignore_eos)) edited_ = true;
}

void PromptPanel::draw_device(PanelContext& context) {
  Ui& ui = context.ui;
  RunPreferences& preferences = context.bench.preferences();
  const engine::GpuSurvey* gpus = context.bench.gpus();
  group(ui, "Where it runs");
  if (gpus == nullptr) return label(ui, "Looking for GPUs\u2026", Role::text2, Face::ui, text_size::kCaption);
  const auto choices = device_choices(*gpus, preferences.device);
  const auto chosen = std::find_if(choices.begin(), choices.end(), [&](const DeviceChoice& choice) {
    return choice.device == preferences.device;
  });
  // Nothing to choose on a machine without a GPU, unless one was chosen before.
  ImGui::BeginDisabled(gpus->devices.empty() && chosen->reason.empty());
  ImGui::AlignTextToFramePadding();
  label(ui, "Device", Role::text2, Face::ui, text_size::kTable);
  ImGui::SameLine(ui.px(96));
  ImGui::SetNextItemWidth(-1);
  const bool open = begin_combo(ui, "##device", chosen->title.c_str());
  if (open) {
    for (const DeviceChoice& choice : choices) {
      ImGui::BeginDisabled(!choice.reason.empty());
      if (ImGui::Selectable(choice.title.c_str(), choice.device == preferences.device)) {
        preferences.device = choice.device;
      }
      ImGui::EndDisabled();
      if (!choice.reason.empty()) ImGui::SetItemTooltip("%s", choice.reason.c_str());
    }
  }
  end_combo(ui, open);
  ImGui::EndDisabled();
  if (!gpus->reason.empty()) {
    ImGui::PushTextWrapPos(0);
    label(ui, fmt::format("No GPU: {}.", gpus->reason).c_str(), Role::text2, Face::ui, text_size::kCaption);
    ImGui::PopTextWrapPos();
  }
  draw_profile(context, *gpus);
}

void PromptPanel::draw_profile(PanelContext& context, const engine::GpuSurvey& gpus) {
  Ui& ui = context.ui;
  RunPreferences& preferences = context.bench.preferences();
  const std::string reason = no_profiling_reason(gpus, preferences);
  constexpr std::array kTitles{"off", "light: whole graphs", "detailed: every kernel"};
  constexpr std::array kModes{"off", "light", "detailed"};
  int mode = 0;
  for (int index = 0; index < static_cast<int>(kModes.size()); ++index) {
    if (preferences.profile == kModes[static_cast<std::size_t>(index)]) mode = index;
  }
  ImGui::BeginDisabled(!reason.empty());
  ImGui::AlignTextToFramePadding();
  label(ui, "Profile", Role::text2, Face::ui, text_size::kTable);
  ImGui::SameLine(ui.px(96));
  ImGui::SetNextItemWidth(-1);
  if (combo(ui, "##profile", mode, kTitles)) preferences.profile = kModes[static_cast<std::size_t>(mode)];
  ImGui::EndDisabled();
  if (!reason.empty()) {
    ImGui::SetItemTooltip("%s", reason.c_str());
    return;
  }
  ImGui::BeginDisabled(mode == 0);
  ImGui::Checkbox("measure what profiling costs", &preferences.measure_cost);
  ImGui::SetItemTooltip("Decodes some 300 tokens more after the run, with profiling off, light and detailed");
  ImGui::EndDisabled();
}

void PromptPanel::draw_record(PanelContext& context) {
  Ui& ui = context.ui;
  group(ui, "Record and measure");
  ImGui::Checkbox("record into a trace", &form_.record);
  const std::string folder = traces_folder().string();
  ImGui::SetItemTooltip("A new file in %s",
                        folder.empty() ? "the traces folder: there is no home folder" : folder.c_str());
  constexpr std::array kQuality{"quality: not measured", "quality: of the answer",
                                "quality: prompt and answer"};
  ImGui::SetNextItemWidth(-1);
  if (combo(ui, "##quality", form_.quality, kQuality)) edited_ = true;
  ImGui::PushTextWrapPos(0);
  label(ui,
        form_.quality == 0
            ? "KL to the dense model needs a second, dense pass beside the run."
            : "A dense copy of the model runs beside it: about twice the time and a dense cache in memory.",
        Role::text2, Face::ui, text_size::kCaption);
  ImGui::PopTextWrapPos();
}

void PromptPanel::draw_problem(Ui& ui, const std::string& problem) {
  const float wide = ImGui::GetContentRegionAvail().x;
  const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
  const std::string line = fmt::format("{} {}", icon::kError, problem);
  // Two lines are kept for it; the rest is in the tooltip and in the log.
  ImGui::PushStyleColor(ImGuiCol_Text, ui.u32(Role::error));
  ImGui::PushTextWrapPos(0);
  const ImVec2 low = ImGui::GetCursorScreenPos();
  ImGui::PushClipRect(low, {low.x + wide, low.y + ui.px(32)}, true);
  ImGui::TextUnformatted(line.c_str());
  ImGui::PopClipRect();
  ImGui::PopTextWrapPos();
  ImGui::PopStyleColor();
  ImGui::SetItemTooltip("%s", problem.c_str());
}

void PromptPanel::start(PanelContext& context, const RunOptions& options) {
  context.bench.start_run(options, form_.record ? traces_folder() : std::filesystem::path());
}

void PromptPanel::draw_actions(PanelContext& context) {
  Ui& ui = context.ui;
  const live::LiveStatus& live = context.bench.live();
  const auto options = to_run_options(form_, context.bench.preferences());
  const bool loading = live.state == live::LiveState::loading;
  const bool runs = live.running();
  ImGui::Separator();
  std::string problem, why;
  if (live.error) problem = live.error->message;
  if (live.trace_error) problem = live.trace_error->message;
  if (!options) problem = options.error().message;
  if (!is_loaded(live) && !loading && problem.empty()) why = "Choose a model first.";
  if (loading) why = "Starts as soon as the model is there.";
  if (runs)
    why = run_state(context.bench).text +
          (context.bench.source() == RunSource::live ? "" : " in the background");
  const ImVec2 at = ImGui::GetCursorPos();
  if (!problem.empty()) {
    draw_problem(ui, problem);
  } else if (!why.empty()) {
    label(ui, why.c_str(), Role::text2, Face::ui, text_size::kTable);
  }
  ImGui::SetCursorPos({at.x, at.y + ui.px(34)});
  const float width = ImGui::GetContentRegionAvail().x, gap = ui.px(8);
  const float stop = ui.px(80);
  const bool can_run = static_cast<bool>(options) && (is_loaded(live) || loading);
  ImGui::BeginDisabled(!can_run);
  if (button(ui, runs ? "Run again" : "Run", ButtonKind::primary,
             {std::max(ui.px(60), width - stop - gap), 0}) &&
      can_run)
    start(context, *options);
  ImGui::EndDisabled();
  ImGui::SameLine(0, gap);
  ImGui::BeginDisabled(!runs);
  if (button(ui, "Stop", ButtonKind::plain, {stop, 0})) context.bench.post(live::Stop{});
  ImGui::EndDisabled();
}

}  // namespace app::gui
