// When the next frame is due. Pure arithmetic on a clock that the caller reads, so that it can be tested.
//
// Idle windows draw nothing: a frame needs a reason (input, a wake-up, a deadline, or something that moves).
// Where the processor draws the pixels, frames give way to decoding.
#pragma once

namespace app::gui {

class FramePacer {
 public:
  static constexpr double kNever = 1e30;
  static constexpr double kShortestFrame = 1.0 / 60;
  // Hovering and popups settle over a few frames.
  static constexpr int kFramesAfterInput = 4;
  // Drawing on the processor takes at most this share of the time while a model decodes.
  static constexpr double kSoftwareShare = 0.3;

  explicit FramePacer(bool software_rendering) : software_(software_rendering) {}

  void input() { pending_ = kFramesAfterInput; }
  void request_frames(int frames) { pending_ = frames > pending_ ? frames : pending_; }
  // A frame at `seconds` of the clock at the latest (a notice fades, a cursor blinks). Reset by every frame.
  void request_at(double seconds) { deadline_ = seconds < deadline_ ? seconds : deadline_; }
  // Something moves every frame (a run, a playback). Kept until changed.
  void set_continuous(bool continuous) { continuous_ = continuous; }
  void set_decoding(bool decoding) { decoding_ = decoding; }

  // Clock reading at which the next frame is due; kNever when nothing asks for one.
  double due() const;
  void frame_drawn(double started, double ended);

 private:
  bool software_;
  bool continuous_ = false;
  bool decoding_ = false;
  int pending_ = kFramesAfterInput;
  double deadline_ = kNever;
  double last_start_ = -kNever;
  double last_end_ = -kNever;
};

}  // namespace app::gui
