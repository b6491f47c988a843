#include "app/live/command_queue.hpp"

#include <algorithm>

namespace app::live {

namespace {

// Kept in the queue until the run has ended.
bool is_for_later(const Command& command) {
  return std::holds_alternative<LoadModel>(command) || std::holds_alternative<StartRun>(command) ||
         std::holds_alternative<Quit>(command);
}

}  // namespace

bool ends_run(const Command& command) {
  return is_for_later(command) || std::holds_alternative<Stop>(command);
}

void CommandQueue::post(Command command) {
  const std::lock_guard lock(mutex_);
  if (run_ && ends_run(command)) run_->request_stop();
  commands_.push_back(std::move(command));
  posted_.notify_one();
}

Command CommandQueue::wait() {
  std::unique_lock lock(mutex_);
  posted_.wait(lock, [this] { return !commands_.empty(); });
  Command command = std::move(commands_.front());
  commands_.pop_front();
  return command;
}

std::optional<Command> CommandQueue::take_for_run() {
  const std::lock_guard lock(mutex_);
  if (commands_.empty() || is_for_later(commands_.front())) return std::nullopt;
  Command command = std::move(commands_.front());
  commands_.pop_front();
  return command;
}

std::stop_token CommandQueue::begin_run() {
  const std::lock_guard lock(mutex_);
  run_.emplace();
  if (std::any_of(commands_.begin(), commands_.end(), ends_run)) run_->request_stop();
  return run_->get_token();
}

void CommandQueue::end_run() {
  const std::lock_guard lock(mutex_);
  run_.reset();
}

void CommandQueue::wait_for_command() {
  std::unique_lock lock(mutex_);
  posted_.wait(lock, [this] { return !commands_.empty(); });
}

void CommandQueue::wait_until(std::chrono::steady_clock::time_point due) {
  std::unique_lock lock(mutex_);
  posted_.wait_until(lock, due, [this] { return !commands_.empty(); });
}

}  // namespace app::live
