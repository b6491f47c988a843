#include "app/gui/shell/welcome_card.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <utility>

#include "app/gui/fonts/icons.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/view/format.hpp"

namespace app::gui {

namespace {

constexpr float kCardWidth = 1040, kPadding = 32, kPictureHeight = 182, kLeastPictureHeight = 96;
// Of the card with the whole picture.
constexpr float kCardHeight = 640;
struct Word {
  Role state;
  const char* name;
  std::string text;
};

// A control drawn as a card: whole area clickable, one accent icon, a title, a line, keys at the right.
bool action_card(Ui& ui, const char* icon, const char* title, const char* text, const std::string& keys,
                 float width, bool enabled) {
  const ImVec2 low = ImGui::GetCursorScreenPos();
  const ImVec2 size{width, ui.px(54)};
  ImGui::BeginDisabled(!enabled);
  const bool pressed = ImGui::InvisibleButton(title, size, ImGuiButtonFlags_EnableNav);
  ImGui::EndDisabled();
  const bool lit = enabled && (ImGui::IsItemHovered() || ImGui::IsItemFocused());
  const ImVec2 high{low.x + size.x, low.y + size.y};
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddRectFilled(low, high, ui.u32(lit ? Role::raised : Role::header), ui.px(kCardRadius));
  list.AddRect(low, high, ui.u32(Role::line), ui.px(kCardRadius), 0, ui.px(1));
  label_at(ui, list, {low.x + ui.px(16), low.y + ui.px(18)}, icon, enabled ? Role::accent : Role::text3,
           Face::ui, 16);
  label_at(ui, list, {low.x + ui.px(48), low.y + ui.px(10)}, title, enabled ? Role::text : Role::text3,
           Face::ui_strong);
  label_at(ui, list, {low.x + ui.px(48), low.y + ui.px(28)}, text, enabled ? Role::text2 : Role::text3,
           Face::ui, text_size::kTable);
  const float keys_width = label_width(ui, keys.c_str(), Face::mono, text_size::kCaption) + ui.px(8);
  const ImVec2 after = ImGui::GetCursorScreenPos();
  ImGui::SetCursorScreenPos({high.x - keys_width - ui.px(12), low.y + ui.px(18)});
  if (!keys.empty()) key_caps(ui, keys.c_str());
  ImGui::SetCursorScreenPos(after);
  return pressed && enabled;
}

void section(Ui& ui, const char* title) {
  ImGui::Dummy({0, ui.px(10)});
  label(ui, title, Role::text, Face::ui_strong);
}

}  // namespace

// The sample's own map; where there is none, only its frame.
void WelcomeCard::draw_picture(Ui& ui, ImVec2 low, ImVec2 high) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddRectFilled(low, high, ui.u32(Role::panel));
  if (sample_ == nullptr || !sample_->ready()) return;
  const int width = static_cast<int>(high.x - low.x);
  if (picture_.width() != width || painted_.colors != ui.theme().colors) {
    painted_ = ui.theme();
    sample_->paint(ui.theme(), width, picture_);
  }
  add_image_nearest(list, picture_, low, high);
  const SampleFacts& facts = sample_->facts();
  const std::string text = fmt::format("{} layers × {} KV heads down, {} tokens across", facts.layers,
                                       facts.kv_heads, view::format_count(facts.tokens));
  const float text_width = label_width(ui, text.c_str(), Face::ui, text_size::kCaption) + ui.px(12);
  const ImVec2 box{high.x - text_width - ui.px(6), high.y - ui.px(24)};
  list.AddRectFilled(box, {box.x + text_width, box.y + ui.px(18)}, ui.u32(Role::app), ui.px(kControlRadius));
  label_at(ui, list, {box.x + ui.px(6), box.y + ui.px(2)}, text.c_str(), Role::text2, Face::ui,
           text_size::kCaption);
}

// What is offered first: the sample, else the default model.
std::string WelcomeCard::first_facts(bool has_sample, bool has_model) const {
  if (has_sample && sample_ != nullptr && sample_->ready()) {
    const SampleFacts& facts = sample_->facts();
    return fmt::format("{}, {} tokens decoded, CR {}", facts.model, view::format_count(facts.decoded),
                       view::format_ratio(facts.ratio));
  }
  if (has_sample) return "a recorded run";
  return has_model ? "SmolLM2-135M-Instruct with learned eviction, set up on this machine"
                   : "scripts/run sets up the default model";
}

void WelcomeCard::draw_first(Ui& ui, const Commands& commands, ImVec2 size, Outcome& outcome) {
  const ImVec2 low = ImGui::GetCursorScreenPos();
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddRectFilled(low, {low.x + size.x, low.y + size.y}, ui.u32(Role::header), ui.px(kCardRadius));
  list.AddRect(low, {low.x + size.x, low.y + size.y}, ui.u32(Role::line), ui.px(kCardRadius), 0, ui.px(1));
  const float inset = ui.px(12);
  draw_picture(ui, {low.x + inset, low.y + inset}, {low.x + size.x - inset, low.y + inset + picture_height_});
  const float text = low.y + inset + picture_height_ + ui.px(10);
  const Command* sample = commands.find("file.play_sample");
  const bool has_sample = sample != nullptr && commands.is_enabled(*sample);
  const Command* model = commands.find("run.default_model");
  const bool has_model = model != nullptr && commands.is_enabled(*model);
  const char* title = has_sample  ? "Needle in a report"
                      : has_model ? "The default model"
                                  : "Start with a model or a trace";
  const std::string facts = first_facts(has_sample, has_model);
  label_at(ui, list, {low.x + inset, text}, title, Role::text, Face::ui_strong);
  label_at(ui, list,
           {low.x + inset + label_width(ui, title, Face::ui_strong, 13) + ui.px(12), text + ui.px(1)},
           facts.c_str(), Role::text2, Face::ui, text_size::kTable);
  ImGui::SetCursorScreenPos({low.x + inset, text + ui.px(24)});
  const ImVec2 wide{ui.px(170), ui.px(30)};
  if (has_sample && button(ui, "Play the sample", ButtonKind::primary, wide)) outcome.command = sample->id;
  if (!has_sample && has_model && button(ui, "Ask the default model", ButtonKind::primary, wide))
    outcome.command = model->id;
  if (has_sample || has_model) {
    ImGui::SameLine(0, ui.px(12));
    ImGui::SetCursorPosY(ImGui::GetCursorPosY() + ui.px(6));
    key_caps(ui, "Enter");
    if (has_sample && sample_ != nullptr && sample_->ready()) {
      ImGui::SameLine(0, ui.px(12));
      const std::string bundled =
          view::format_bytes(sample_->facts().bytes) + ", bundled: no download, no GPU";
      label(ui, bundled.c_str(), Role::text2, Face::ui, text_size::kTable);
    }
    if (ImGui::IsKeyPressed(ImGuiKey_Enter) && !ImGui::IsAnyItemActive() &&
        !ImGui::IsPopupOpen("", ImGuiPopupFlags_AnyPopup)) {
      outcome.command = has_sample ? sample->id : model->id;
    }
  }
  ImGui::SetCursorScreenPos(low);
  ImGui::Dummy(size);
}

void WelcomeCard::draw_actions(Ui& ui, const Commands& commands, const Settings& settings, ImVec2 size,
                               Outcome& outcome) {
  const auto enabled = [&](const char* id) {
    const Command* command = commands.find(id);
    return command != nullptr && commands.is_enabled(*command);
  };
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2(0, ui.px(8)));
  if (action_card(ui, icon::kChip, "Run a model", "a Hugging Face directory",
                  commands.keys("run.choose_model"), size.x, enabled("run.choose_model")))
    outcome.command = "run.choose_model";
  if (action_card(ui, icon::kFolderOpen, "Open a trace", "or drop a file anywhere",
                  commands.keys("file.open_trace"), size.x, enabled("file.open_trace")))
    outcome.command = "file.open_trace";
  ImGui::PopStyleVar();
  ImGui::Dummy({0, ui.px(4)});
  label(ui, "Recent", Role::text, Face::ui_strong);
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const auto rule = [&] {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    list.AddLine(at, {at.x + size.x, at.y}, ui.u32(Role::line), ui.px(1));
  };
  rule();
  const std::size_t count = std::min<std::size_t>(settings.recent.size(), 3);
  for (std::size_t index = 0; index < count; ++index) {
    const std::filesystem::path path(settings.recent[index]);
    ImGui::PushID(static_cast<int>(index));
    const ImVec2 low = ImGui::GetCursorScreenPos();
    if (ImGui::Selectable("##recent", false, 0, {size.x, ui.px(36)})) outcome.recent = settings.recent[index];
    label_at(ui, list, {low.x + ui.px(6), low.y + ui.px(10)}, icon::kPlay, Role::text3, Face::ui,
             text_size::kTable);
    label_at(ui, list, {low.x + ui.px(36), low.y + ui.px(3)},
             fit_text(path.filename().string(), size.x - ui.px(40)).c_str());
    const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
    list.AddText({low.x + ui.px(36), low.y + ui.px(20)}, ui.u32(Role::text3),
                 fit_text(path.parent_path().string(), size.x - ui.px(40)).c_str());
    ImGui::PopID();
    rule();
  }
  if (count < 2)
    label(ui,
          count == 0 ? "Your runs and traces will be listed here." : "More of your own will be listed here.",
          Role::text3, Face::ui, text_size::kTable);
}

void WelcomeCard::draw_words(Ui& ui, int window, float width) {
  const std::string newest = window > 0 ? fmt::format("newest {} tokens", window) : "the newest tokens";
  const std::array words{Word{Role::kept, "kept", "past the window, not marked: stays in the cache for good"},
                         Word{Role::window, "window", newest + ", not marked: on its way to kept"},
                         Word{Role::doomed, "doomed", newest + ", but marked: visible until it leaves them"},
                         Word{Role::evicted, "evicted", "gone: a newer token has taken over its slot"}};
  section(ui, "Four words you will meet");
  const std::size_t columns = width < ui.px(4 * 206) ? 2 : words.size();
  const float gap = ui.px(12), row = ui.px(80), count = static_cast<float>(columns);
  const float each = std::floor((width - (count - 1) * gap) / count);
  const ImVec2 start = ImGui::GetCursorScreenPos();
  ImDrawList& list = *ImGui::GetWindowDrawList();
  for (std::size_t index = 0; index < words.size(); ++index) {
    const ImVec2 low{start.x + static_cast<float>(index % columns) * (each + gap),
                     start.y + ui.px(2) + static_cast<float>(index / columns) * row};
    list.AddRectFilled(low, {low.x + each, low.y + ui.px(68)}, ui.u32(Role::header), ui.px(kCardRadius));
    ImGui::SetCursorScreenPos({low.x + ui.px(12), low.y + ui.px(10)});
    swatch(ui, words[index].state);
    ImGui::SameLine(0, ui.px(8));
    label(ui, words[index].name, Role::text, Face::ui_strong);
    const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
    list.AddText(ImGui::GetFont(), ImGui::GetFontSize(), {low.x + ui.px(12), low.y + ui.px(31)},
                 ui.u32(Role::text2), words[index].text.c_str(), nullptr, each - ui.px(16));
  }
  ImGui::SetCursorScreenPos(start);
  ImGui::Dummy({width, ui.px(70) + row * static_cast<float>(words.size() / columns - 1)});
}

void WelcomeCard::draw_machine(Ui& ui, float width) {
  section(ui, "This machine");
  ImGui::SameLine(ImGui::GetCursorPosX() + width -
                  label_width(ui, "Copy report", Face::ui_strong, text_size::kTable) -
                  2 * ImGui::GetStyle().FramePadding.x);
  if (button(ui, "Copy report", ButtonKind::link)) ImGui::SetClipboardText(facts_text(facts_).c_str());
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ImVec2 start = ImGui::GetCursorScreenPos();
  const float row = ui.px(28);
  for (std::size_t index = 0; index < facts_.size(); ++index) {
    const MachineFact& fact = facts_[index];
    const ImVec2 low{start.x, start.y + static_cast<float>(index) * row};
    if (index % 2 == 0)
      list.AddRectFilled(low, {low.x + width, low.y + row}, ui.u32(Role::header), ui.px(kControlRadius));
    label_at(ui, list, {low.x + ui.px(12), low.y + ui.px(7)}, fact.ready ? icon::kCheck : icon::kWarning,
             fact.ready ? Role::accent : Role::warning, Face::ui, text_size::kTable);
    label_at(ui, list, {low.x + ui.px(38), low.y + ui.px(6)}, fact.name.c_str(), Role::text, Face::ui_strong);
    const FontScope font(ui.fonts(), Face::ui, text_size::kBody);
    list.AddText({low.x + ui.px(150), low.y + ui.px(6)}, ui.u32(Role::text2),
                 fit_text(fact.text, width - ui.px(162)).c_str());
  }
  ImGui::Dummy({width, row * static_cast<float>(facts_.size())});
}

// Under the card: the keys worth knowing, and how the window looks at the moment.
void WelcomeCard::draw_footer(Ui& ui, const Commands& commands, const Settings& settings, ImVec2 at,
                              float width) {
  ImGui::SetNextWindowPos({at.x, at.y + ui.px(8)});
  ImGui::SetNextWindowSize({width, ui.px(32)});
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(ui.px(4), ui.px(4)));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 0);
  ImGui::Begin("##footer", nullptr,
               ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoDocking | ImGuiWindowFlags_NoMove |
                   ImGuiWindowFlags_NoBackground | ImGuiWindowFlags_NoSavedSettings |
                   ImGuiWindowFlags_NoBringToFrontOnFocus | ImGuiWindowFlags_NoNav);
  ImGui::PopStyleVar(2);
  for (const auto& [id, text] :
       {std::pair{"view.palette", "command palette"}, std::pair{"help.shortcuts", "all shortcuts"}}) {
    key_caps(ui, commands.keys(id).c_str());
    ImGui::SameLine(0, ui.px(8));
    label(ui, text, Role::text2, Face::ui, text_size::kTable);
    ImGui::SameLine(0, ui.px(20));
  }
  const std::string look =
      fmt::format("Theme {}    Palette {}, colour-blind safe    Scale {:.0f} %", name_of(settings.theme),
                  name_of(settings.palette), 100 * static_cast<double>(ui.metrics().scale()));
  ImGui::SameLine(width - label_width(ui, look.c_str(), Face::ui, text_size::kTable) - ui.px(4));
  label(ui, look.c_str(), Role::text2, Face::ui, text_size::kTable);
  ImGui::End();
}

WelcomeCard::Outcome WelcomeCard::draw(Ui& ui, const Commands& commands, const Settings& settings, int window,
                                       ImVec2 low, ImVec2 high) {
  Outcome outcome;
  if (sample_) sample_->update();
  if (sample_ && sample_->ready()) window = sample_->facts().window;
  const float width = std::min(ui.px(kCardWidth), high.x - low.x - ui.px(32));
  const float tall = ui.px(kCardHeight), room = high.y - low.y;
  const float missing = std::max(0.0F, tall - room + ui.px(24));
  picture_height_ = std::max(ui.px(kLeastPictureHeight), ui.px(kPictureHeight) - missing);
  const float card = std::min(tall - (ui.px(kPictureHeight) - picture_height_), room - ui.px(16));
  // As tall as its content, a little above the middle; where there is less room it scrolls.
  const ImVec2 at{std::round((low.x + high.x - width) / 2), low.y + std::round((room - card) * 0.42F)};
  ImGui::SetNextWindowPos(at);
  ImGui::SetNextWindowSize({width, card});
  const float pad = ui.px(width < ui.px(900) ? 16 : kPadding);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(pad, ui.px(24)));
  ImGui::Begin("Welcome", nullptr,
               ImGuiWindowFlags_NoTitleBar | ImGuiWindowFlags_NoResize | ImGuiWindowFlags_NoMove |
                   ImGuiWindowFlags_NoCollapse | ImGuiWindowFlags_NoDocking |
                   ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoBringToFrontOnFocus);
  ImGui::PopStyleVar();
  const float inner = ImGui::GetContentRegionAvail().x;
  label(ui, "See what your KV cache remembers", Role::text, Face::ui_bold, text_size::kWelcome);
  ImGui::PushTextWrapPos(0);
  label(ui,
        "DMScope runs a model with learned eviction and shows, live, what every layer and KV head keeps, has "
        "marked and has evicted.",
        Role::text2);
  ImGui::PopTextWrapPos();
  ImGui::Dummy({0, ui.px(8)});
  const float right = std::round(inner * 0.336F), gap = ui.px(28), block = picture_height_ + ui.px(86);
  const ImVec2 top = ImGui::GetCursorScreenPos();
  draw_first(ui, commands, {inner - right - gap, block}, outcome);
  ImGui::SetCursorScreenPos({top.x + inner - right, top.y});
  ImGui::BeginChild("actions", {right, block}, 0, ImGuiWindowFlags_NoScrollbar);
  draw_actions(ui, commands, settings, {right, block}, outcome);
  ImGui::EndChild();
  draw_words(ui, window, inner);
  draw_machine(ui, inner);
  ImGui::End();
  if (at.y + card + ui.px(40) < high.y) draw_footer(ui, commands, settings, {at.x, at.y + card}, width);
  return outcome;
}

}  // namespace app::gui
