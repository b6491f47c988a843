// Plays the demo's story in the window: starts the runs, moves the selection and shows the captions.
#pragma once

#include <filesystem>
#include <string>

#include "app/gui/demo/demo_script.hpp"
#include "app/gui/shell/application.hpp"
#include "engine/events/result.hpp"

namespace app::gui {

struct DemoOptions {
  std::filesystem::path model;   // a checkpoint with learned gates
  std::filesystem::path prompt;  // the sample's text file, with its hidden number
  std::filesystem::path traces;  // folder for the runs' traces
  // Waits for the engine where the story needs it: a demo that is written to files does not miss a step. On a
  // display time does not stop.
  bool wait_for_engine = false;
};

class DemoPlayer {
 public:
  DemoPlayer(DemoOptions options, Workbench& bench, Application& application);

  // Moves the story on by `seconds` and brings the window to where it is then. Call before every frame.
  engine::Status advance(double seconds);
  bool over() const { return clock_ >= kDemoSeconds; }
  double clock() const { return clock_; }
  DemoCaption caption() const { return demo_caption(scene_at(clock_), facts_); }

 private:
  void enter(DemoScene scene);
  void start_run(double threshold, bool quality);
  void step_engine();
  engine::Status wait_for_steps();
  void gather_facts();
  std::int32_t hidden_token() const;

  DemoOptions options_;
  Workbench& bench_;
  Application& application_;
  double clock_ = 0;
  int entered_ = -1;  // index of the scene
  double threshold_ = 0;
  double next_step_at_ = 0;
  std::int64_t steps_asked_ = 0;
  std::int64_t run_asked_ = 0;
  DemoFacts facts_;
};

// The caption, over the lower part of the window.
void draw_caption(Ui& ui, const DemoCaption& caption);

}  // namespace app::gui
