#include "app/gui/shell/native_dialog.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <utility>
#include <vector>

namespace app::gui {

namespace {

constexpr std::size_t kMaxPath = 1U << 16;  // whatever the dialog writes beyond is no path

std::string find_program(const char* name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string file = folder + "/" + name;
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

std::vector<std::string> dialog_command(const std::string& title, bool folder) {
  if (std::string zenity = find_program("zenity"); !zenity.empty()) {
    std::vector<std::string> command{zenity, "--file-selection", "--title=" + title};
    if (folder) command.emplace_back("--directory");
    return command;
  }
  if (std::string kdialog = find_program("kdialog"); !kdialog.empty()) {
    return {kdialog, "--title", title, folder ? "--getexistingdirectory" : "--getopenfilename", "."};
  }
  return {};
}

}  // namespace

NativeDialog::~NativeDialog() {
  if (output_ >= 0) close(output_);
  if (process_ <= 0) return;
  kill(process_, SIGTERM);
  waitpid(process_, nullptr, 0);
}

bool NativeDialog::start(const std::string& title, bool folder) {
  if (is_running()) return true;
  std::vector<std::string> command = dialog_command(title, folder);
  std::array<int, 2> ends{};
  if (command.empty() || pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  process_ = fork();
  if (process_ == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  close(ends[1]);
  if (process_ < 0) {
    close(ends[0]);
    return false;
  }
  output_ = ends[0];
  fcntl(output_, F_SETFL, O_NONBLOCK);
  text_.clear();
  return true;
}

std::optional<std::string> NativeDialog::poll() {
  if (!is_running()) return std::nullopt;
  std::array<char, 4096> block;
  for (ssize_t got; (got = read(output_, block.data(), block.size())) != 0;) {
    if (got < 0) return std::nullopt;  // nothing yet
    if (text_.size() < kMaxPath) text_.append(block.data(), static_cast<std::size_t>(got));
  }
  close(std::exchange(output_, -1));
  int status = 0;
  waitpid(std::exchange(process_, -1), &status, 0);  // it closed its output: it is ending
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return "";
  while (!text_.empty() && text_.back() == '\n') text_.pop_back();
  return text_;
}

}  // namespace app::gui
