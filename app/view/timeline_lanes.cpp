#include "app/view/timeline_lanes.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace app::view {

namespace {

// The maker's name is the same for all of them and takes the room of what tells them apart.
std::string short_device(const std::string& name) {
  constexpr std::string_view kMaker = "NVIDIA ";
  return name.starts_with(kMaker) ? name.substr(kMaker.size()) : name;
}

LaneKind kind_of(const TimelineTrack& track) {
  if (track.device >= 0) return track.copies ? LaneKind::copies : LaneKind::kernels;
  if (track.stream == engine::kLaunchLane) return LaneKind::launches;
  return track.stream == engine::kProfilerLane ? LaneKind::profiler : LaneKind::kernels;
}

bool has_layers(const TimelineTrack& track) {
  return std::any_of(track.layers.begin(), track.layers.end(),
                     [](const TimelineBlock& block) { return block.layer >= 0; });
}

// A stream may do nothing but copy.
bool has_kernels(const TimelineIndex& index, const TimelineTrack& of) {
  return std::any_of(index.tracks().begin(), index.tracks().end(), [&](const TimelineTrack& track) {
    return track.device == of.device && track.stream == of.stream && !track.copies;
  });
}

void name_gpu_lane(const RunSnapshot& run, const TimelineIndex& index, const TimelineTrack& track,
                   TimelineLane& lane) {
  const std::string device = device_name(run, track.device);
  const std::string stream = stream_name(run, track.device, track.stream);
  lane.device = short_device(device);
  lane.name = track.copies && has_kernels(index, track) ? "copies" : stream;
  const bool named = run.track_name(track.device, track.stream) != nullptr;
  lane.full_name =
      fmt::format("{} \u00b7 {}{}{}", device, stream, named ? fmt::format(" (stream {})", track.stream) : "",
                  track.copies ? ": copies and sets" : "");
}

void name_cpu_lane(TimelineLane& lane) {
  switch (lane.kind) {
    case LaneKind::launches:
      lane.name = "launches";
      lane.full_name = "CPU: the calls that hand work to the GPU";
      return;
    case LaneKind::profiler:
      lane.name = "profiler";
      lane.full_name = "CPU: time that CUPTI and the driver take for profiling";
      return;
    case LaneKind::kernels:
    case LaneKind::copies:
      lane.name = "CPU";
      lane.full_name = "CPU: operations timed by the engine";
  }
}

}  // namespace

std::string device_name(const RunSnapshot& run, std::int16_t device) {
  if (device < 0) return "the CPU";
  const std::string* const name = run.track_name(device, engine::kWholeDevice);
  return name != nullptr && !name->empty() ? *name : fmt::format("GPU {}", device);
}

std::string stream_name(const RunSnapshot& run, std::int16_t device, std::int32_t stream) {
  const std::string* const name = run.track_name(device, stream);
  return name != nullptr && !name->empty() ? *name : fmt::format("stream {}", stream);
}

std::vector<TimelineLane> timeline_lanes(const RunSnapshot& run, const TimelineIndex& index) {
  std::vector<TimelineLane> lanes;
  const bool any_gpu = std::any_of(index.tracks().begin(), index.tracks().end(),
                                   [](const TimelineTrack& track) { return track.device >= 0; });
  for (std::size_t i = 0; i < index.tracks().size(); ++i) {
    const TimelineTrack& track = index.tracks()[i];
    TimelineLane lane;
    lane.kind = kind_of(track);
    lane.track = i;
    lane.on_gpu = track.device >= 0;
    lane.has_layers = lane.kind == LaneKind::kernels && (!any_gpu || has_layers(track));
    if (lane.on_gpu) {
      name_gpu_lane(run, index, track, lane);
    } else {
      name_cpu_lane(lane);
    }
    lanes.push_back(std::move(lane));
  }
  // Tracks are in the order of devices and streams; the CPU's come first there.
  std::stable_partition(lanes.begin(), lanes.end(), [](const TimelineLane& lane) { return lane.on_gpu; });
  return lanes;
}

}  // namespace app::view
