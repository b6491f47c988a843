#include "app/gui/shell/application.hpp"

#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>
#include <utility>

#include "app/gui/fonts/icons.hpp"
#include "app/gui/panels/log_panel.hpp"
#include "app/gui/panels/panel_makers.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/gui/workbench/places.hpp"

namespace app::gui {

namespace {

float chosen_scale(const Settings& settings, const Host& host) {
  const float scale = settings.scale > 0 ? static_cast<float>(settings.scale) : host.content_scale();
  return std::clamp(scale, kMinScale, kMaxScale);
}

}  // namespace

Application::Application(Host& host, Workbench& bench, ApplicationOptions options)
    : host_(host),
      bench_(bench),
      options_(std::move(options)),
      settings_(options_.settings),
      show_welcome_(options_.welcome) {
  std::vector<std::string> problems;
  if (!options_.settings_folder.empty()) {
    LoadedSettings loaded = load_settings(options_.settings_folder);
    settings_ = std::move(loaded.settings);
    problems = std::move(loaded.problems);
  }
  if (!options_.layout.empty()) settings_.layout = options_.layout;
  if (layout_named(settings_.layout, false) == nullptr) {
    problems.push_back(fmt::format("layout: there is none named '{}', inspect is shown", settings_.layout));
    settings_.layout = "inspect";
  }
  std::vector<std::string> fallbacks = settings_.fonts;
  if (host.has_pixels()) {
    for (std::string& path : system_fallback_fonts()) fallbacks.push_back(std::move(path));
  }
  bench_.preferences() = settings_.run;
  fonts_ = std::make_unique<Fonts>(fallbacks);
  for (const std::string& problem : fonts_->problems()) problems.push_back(problem);
  ui_ = std::make_unique<Ui>(make_theme(settings_.theme, settings_.palette), Metrics(1), *fonts_);
  dockspace_ = std::make_unique<Dockspace>(panel_makers());
  dockspace_->open_panels() = settings_.panels;
  add_commands();
  for (std::string& problem : commands_.apply_shortcuts(settings_.shortcuts))
    problems.push_back(std::move(problem));
  const std::string arrangement = load_arrangement(options_.settings_folder, problems);
  if (!arrangement.empty()) ImGui::LoadIniSettingsFromMemory(arrangement.data(), arrangement.size());
  for (std::string& problem : problems) notices_.add(NoticeLevel::warning, std::move(problem));
  host_.on_files_dropped = [this](const std::vector<std::string>& paths) {
    if (!paths.empty()) open_path(paths.front());
  };
}

Application::~Application() {
  host_.on_files_dropped = nullptr;
}

engine::Status Application::save() {
  settings_.panels = dockspace_->open_panels();
  settings_.run = bench_.preferences();
  if (auto saved = save_settings(options_.settings_folder, settings_); !saved) return saved;
  std::size_t size = 0;
  const char* text = ImGui::SaveIniSettingsToMemory(&size);
  return save_arrangement(options_.settings_folder, std::string(text, size));
}

const Layout& Application::current_layout() const {
  const bool compact = ImGui::GetMainViewport()->Size.x < kCompactWidth * applied_scale_;
  return *layout_named(settings_.layout, compact);
}

bool Application::set_layout(std::string_view name) {
  if (layout_named(name, false) == nullptr) return false;
  settings_.layout = name;
  restyle_ = true;  // a layout has a text scale of its own
  return true;
}

void Application::open_path(const std::string& path) {
  std::error_code error;
  const bool folder = std::filesystem::is_directory(path, error);
  if (!std::filesystem::exists(path, error)) {
    notices_.add(NoticeLevel::error, path + ": there is no such file");
    std::erase(settings_.recent, path);
    return;
  }
  remember_recent(settings_, path);
  if (!folder) return bench_.open_trace(path);
  bench_.load_model(path);
  dockspace_->show(current_layout(), "prompt");
  show_welcome_ = false;
}

void Application::choose(const char* title, bool folder) {
  file_dialog_.open(title, folder, settings_.native_dialogs && host_.is_window(),
                    [this](const std::string& path) { open_path(path); });
}

void Application::restyle() {
  const float scale = chosen_scale(settings_, host_);
  const float text_scale = current_layout().text_scale;
  if (!std::exchange(restyle_, false) && scale == applied_scale_) return;
  applied_scale_ = scale;
  ui_->restyle(make_theme(settings_.theme, settings_.palette),
               Metrics(std::clamp(scale * text_scale, kMinScale, kMaxScale)));
}

void Application::frame() {
  const double now = clock_seconds();
  bench_.update(last_frame_ > 0 ? now - last_frame_ : 0);
  last_frame_ = now;
  report_problems();
  if (options_.start_position && *options_.start_position < bench_.positions()) {
    bench_.go_to(*options_.start_position);
    options_.start_position.reset();
  }
  if (applied_scale_ == 0) applied_scale_ = chosen_scale(settings_, host_);
  restyle();
  host_.begin_frame();
  draw_contents();
  host_.end_frame();
  if (std::exchange(wants_picture_, false)) take_pictures();
  pace();
}

void Application::draw_contents() {
  if (!sheet_.is_recording()) commands_.run_shortcuts();
  const float bottom_edge = ImGui::GetMainViewport()->Size.y;
  if (!options_.single_panel.empty()) {
    PanelContext context{bench_, commands_, notices_, *ui_};
    const ImVec2 size = ImGui::GetMainViewport()->Size;
    dockspace_->draw_single(context, *panel_named(options_.single_panel), {0, 0}, size);
    return;
  }
  std::vector<std::string> names;
  int chosen = 0;
  for (const Layout& layout : layouts(false)) {
    if (layout.name == settings_.layout) chosen = static_cast<int>(names.size());
    names.push_back(layout.title);
  }
  const int before = chosen;
  float top = draw_menu_row(*ui_, commands_, names, chosen, run_facts(bench_));
  if (chosen != before) set_layout(layouts(false)[static_cast<std::size_t>(chosen)].name);
  const float transport_top = top;
  top += transport_.draw(*ui_, bench_, commands_, top);
  const StatusText status = status_bar_.text(bench_, host_.is_window() ? host_.last_frame_seconds() : -1);
  const float bottom = bottom_edge - draw_status_bar(*ui_, status);
  draw_workspace(top, bottom);
  draw_tour(transport_top, top);
  draw_toasts(bottom);
  draw_dialogs();
  if (overlay_) overlay_(*ui_);
}

void Application::draw_workspace(float top, float bottom) {
  const ImVec2 low{0, top}, high{ImGui::GetMainViewport()->Size.x, bottom};
  ImGui::GetBackgroundDrawList()->AddRectFilled(low, high, ui_->u32(Role::app));
  if (high.y - low.y < ui_->px(40)) return;  // a window resized to nothing
  if (bench_.source() == RunSource::none && show_welcome_) {
    if (!welcome_) {
      const ImVec2 size = ImGui::GetMainViewport()->Size;
      auto facts = machine_facts(host_.renderer(), static_cast<int>(size.x), static_cast<int>(size.y),
                                 static_cast<double>(applied_scale_));
      std::unique_ptr<SamplePreview> sample;
      if (!options_.sample_trace.empty())
        sample = std::make_unique<SamplePreview>(options_.sample_trace, [this] { host_.wake(); });
      welcome_ = std::make_unique<WelcomeCard>(std::move(facts), std::move(sample));
    }
    const auto outcome = welcome_->draw(*ui_, commands_, settings_, 0, low, high);
    if (!outcome.command.empty()) commands_.run(outcome.command);
    if (!outcome.recent.empty()) open_path(outcome.recent);
    return;
  }
  PanelContext context{bench_, commands_, notices_, *ui_};
  const float gap = ui_->px(kPanelGap);
  const std::string asked =
      dockspace_->draw(context, current_layout(), {low.x + gap, low.y + gap}, {high.x - gap, high.y - gap});
  if (!asked.empty()) commands_.run(asked);
}

void Application::draw_dialogs() {
  palette_.draw(*ui_, commands_);
  sheet_.draw(*ui_, commands_, notices_, settings_.shortcuts);
  if (settings_dialog_.draw(*ui_, settings_, host_.content_scale())) restyle_ = true;
  glossary_.draw(*ui_);
  file_dialog_.draw(*ui_);
}

void Application::report_problems() {
  for (Problem& problem : bench_.take_problems()) {
    NoticeAction action;
    if (problem.cpu_helps) action = {"Run on the CPU", "run.on_cpu"};
    notices_.add(problem.is_error ? NoticeLevel::error : NoticeLevel::warning, std::move(problem.text),
                 std::move(action));
  }
}

void Application::play_sample() {
  bench_.open_trace(options_.sample_trace, true);
  // Once, and not in a window that is driven by somebody else.
  if (!settings_.toured && !options_.settings_folder.empty()) start_tour();
}

void Application::start_tour() {
  settings_.toured = true;
  set_layout("inspect");
  show_welcome_ = false;
  if (bench_.source() == RunSource::none) bench_.open_trace(options_.sample_trace);
  tour_.start();
}

void Application::draw_tour(float transport_top, float transport_bottom) {
  if (!tour_.active()) return tour_.draw(*ui_, {});
  const std::string panel = tour_.panel_to_show();
  if (!panel.empty()) dockspace_->show(current_layout(), panel);
  TourArea area{{0, transport_top}, {ImGui::GetMainViewport()->Size.x, transport_bottom}};
  const char* shown = tour_stops()[static_cast<std::size_t>(tour_.stop())].panel;
  if (ImGui::IsPopupOpen(nullptr, ImGuiPopupFlags_AnyPopup)) return;  // a dialog or a menu goes first
  const bool there = shown[0] == '\0' || dockspace_->area_of(shown, area.low, area.high);
  tour_.draw(*ui_, there ? std::optional<TourArea>(area) : std::nullopt);
}

void Application::draw_toasts(float bottom) {
  const auto toasts = notices_.toasts(clock_seconds());
  if (toasts.empty()) return;
  host_.pacer().request_at(toasts.front().shown_at + Notices::kToastSeconds);
  const float width = std::min(ui_->px(440), ImGui::GetMainViewport()->Size.x - ui_->px(24));
  ImGui::SetNextWindowPos({ImGui::GetMainViewport()->Size.x - ui_->px(12), bottom - ui_->px(12)}, 0, {1, 1});
  ImGui::SetNextWindowSize({width, 0});
  ImGui::Begin("##toasts", nullptr,
               ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoDocking | ImGuiWindowFlags_NoMove |
                   ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoFocusOnAppearing |
                   ImGuiWindowFlags_NoNav | ImGuiWindowFlags_AlwaysAutoResize);
  ImGui::BringWindowToDisplayFront(ImGui::GetCurrentWindow());
  for (const Notice& notice : toasts) {
    draw_notice(*ui_, notice, false);
    draw_action(notice);
  }
  ImGui::End();
}

// What a notice offers, while it can be done.
void Application::draw_action(const Notice& notice) {
  const Command* command = commands_.find(notice.action.command);
  if (command == nullptr || !commands_.is_enabled(*command)) return;
  if (!button(*ui_, notice.action.label.c_str(), ButtonKind::link)) return;
  notices_.dismiss_toasts();
  commands_.run(command->id);
}

void Application::take_pictures() {
  std::string title;
  ImVec2 low, high;
  auto picture = host_.read_pixels();
  if (!picture) return notices_.add(NoticeLevel::error, picture.error().message);
  const bool panel = dockspace_->focused_area(title, low, high);
  const ImVec2 points = ImGui::GetIO().DisplayFramebufferScale;
  const auto pixel = [](float at, float scale) { return static_cast<int>(std::lround(at * scale)); };
  const Image image = panel ? crop(*picture, pixel(low.x, points.x), pixel(low.y, points.y),
                                   pixel(high.x - low.x, points.x), pixel(high.y - low.y, points.y))
                            : std::move(*picture);
  std::replace(title.begin(), title.end(), ' ', '-');
  const std::string stamp = file_stamp();
  std::error_code error;
  const auto path = std::filesystem::current_path(error) /
                    fmt::format("dmscope-{}{}.png", title.empty() ? "" : title + "-", stamp);
  if (auto written = write_png(path, image); !written)
    return notices_.add(NoticeLevel::error, written.error().message);
  ImGui::SetClipboardText(path.c_str());
  notices_.add(NoticeLevel::info, fmt::format("Saved {} ({} × {}); its path is in the clipboard",
                                              path.string(), image.width, image.height));
}

void Application::pace() {
  host_.pacer().set_continuous(bench_.busy());
  host_.pacer().set_decoding(bench_.decoding());
  // A blinking cursor, and a dialog of another process that may have ended.
  if (ImGui::GetIO().WantTextInput) host_.pacer().request_at(clock_seconds() + 0.4);
  if (file_dialog_.is_waiting()) host_.pacer().request_at(clock_seconds() + 0.1);
}

}  // namespace app::gui
