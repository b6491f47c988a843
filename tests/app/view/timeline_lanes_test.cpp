#include "app/view/timeline_lanes.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/app/support/gpu_run.hpp"
#include "tests/app/view/span_run.hpp"

using namespace app::view;

namespace {

struct Shown {
  std::shared_ptr<const RunSnapshot> run;
  TimelineIndex index;
  std::vector<TimelineLane> lanes;
};

Shown shown(const RunModel& model) {
  Shown made;
  made.run = model.snapshot();
  made.index.update(*made.run);
  made.lanes = timeline_lanes(*made.run, made.index);
  return made;
}

std::vector<std::string> names(const std::vector<TimelineLane>& lanes) {
  std::vector<std::string> found;
  for (const TimelineLane& lane : lanes) found.push_back(lane.name);
  return found;
}

}  // namespace

TEST_CASE("timeline_lanes, a GPU's streams come first, its copies apart, then launches and the profiler") {
  RunModel model;
  support::emit_gpu_run(model, {});
  const Shown made = shown(model);
  REQUIRE(names(made.lanes) ==
          std::vector<std::string>{"forward pass", "copies", "decisions", "launches", "profiler"});
  CHECK(made.lanes[0].device == "H200");
  CHECK(made.lanes[0].full_name == "NVIDIA H200 \u00b7 forward pass (stream 13)");
  CHECK(made.lanes[0].has_layers);
  CHECK(made.lanes[1].kind == LaneKind::copies);
  CHECK(made.lanes[2].kind == LaneKind::copies);
  CHECK_FALSE(made.lanes[2].has_layers);
  CHECK(made.lanes[3].kind == LaneKind::launches);
  CHECK_FALSE(made.lanes[4].on_gpu);
}

TEST_CASE("timeline_lanes, what nobody named is called by its number, and the CPU as it is") {
  RunModel model;
  model.on_event(view_test::span_facts());
  model.on_event(engine::SpansRecorded{{{0, 10, 0, 0, 1, 0, 1, 7}, {0, 10, 0, 0, 1, 0, -1, 0}}});
  const Shown made = shown(model);
  REQUIRE(names(made.lanes) == std::vector<std::string>{"stream 7", "CPU"});
  CHECK(made.lanes[0].device == "GPU 1");
  CHECK(made.lanes[0].full_name == "GPU 1 \u00b7 stream 7");
  CHECK(made.lanes[1].has_layers);
  model.on_event(engine::SpansRecorded{{{20, 30, 0, -1, 2, 0, -1, engine::kLaunchLane}}});
  CHECK_FALSE(shown(model).lanes[2].has_layers);
}

TEST_CASE("timeline_lanes, a whole graph is one box per step and shows no layers") {
  RunModel model;
  support::GpuRunOptions options;
  options.profile = support::GpuRunOptions::Profile::light;
  support::emit_gpu_run(model, options);
  const Shown made = shown(model);
  const TimelineTrack& forward = made.index.tracks()[made.lanes[0].track];
  const StepRecord& last = made.run->step(made.run->step_count() - 1);
  const TimelineView view{{last.start_ns, last.end_ns}, 1000};
  const auto boxes = kernel_boxes(made.index, forward, view);
  REQUIRE(boxes.size() == 1);
  CHECK(boxes[0].step == last.step);
  CHECK(class_of_kernel(made.run->run().operations[static_cast<std::size_t>(boxes[0].operation)]) ==
        KernelClass::graph);
  for (const TimelineBox& box : layer_boxes(made.index, forward, view)) CHECK(box.layer == -1);
}
