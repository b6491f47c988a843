#include "tests/app/support/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <chrono>

namespace support {

namespace {

constexpr auto kPatience = std::chrono::minutes(2);

struct Pipe {
  Pipe() { REQUIRE(pipe2(ends, O_CLOEXEC) == 0); }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(int end) {
    if (ends[end] != -1) close(ends[end]);
    ends[end] = -1;
  }
  int ends[2] = {-1, -1};
};

// In the child, between fork and exec: async-signal-safe calls only.
[[noreturn]] void become_program(const ProgramOptions& options, const Pipe& in, const Pipe& out,
                                 const Pipe& err, char* const* argv) {
  dup2(in.ends[0], STDIN_FILENO);
  dup2(err.ends[1], STDERR_FILENO);
  if (options.out_closed) {
    close(STDOUT_FILENO);
  } else if (!options.out_file.empty()) {
    dup2(open(options.out_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
  } else {
    dup2(out.ends[1], STDOUT_FILENO);
  }
  if (options.max_file_bytes) {
    const rlimit limit{*options.max_file_bytes, *options.max_file_bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  signal(SIGINT, SIG_DFL);  // a test runner in the background may ignore it
  execv(DMSCOPE_PROGRAM, argv);
  _exit(127);
}

void write_input(Pipe& in, const std::string& input) {
  signal(SIGPIPE, SIG_IGN);
  std::size_t done = 0;
  while (done < input.size()) {
    const ssize_t count = write(in.ends[1], input.data() + done, input.size() - done);
    if (count <= 0) break;  // the program has stopped reading: its own affair
    done += static_cast<std::size_t>(count);
  }
  in.close_end(1);
}

// Appends what is there; closes the end at the end of the stream.
void read_some(Pipe& pipe, std::string& text) {
  std::array<char, 1 << 16> block;
  const ssize_t count = read(pipe.ends[0], block.data(), block.size());
  if (count > 0) {
    text.append(block.data(), static_cast<std::size_t>(count));
  } else {
    pipe.close_end(0);
  }
}

void read_until_both_end(pid_t child, Pipe& out, Pipe& err, const ProgramOptions& options,
                         ProgramResult& result) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  bool called = !options.on_first_output;
  bool watching = static_cast<bool>(options.while_running);
  while (out.ends[0] != -1 || err.ends[0] != -1) {
    std::array<pollfd, 2> polled{pollfd{out.ends[0], POLLIN, 0}, pollfd{err.ends[0], POLLIN, 0}};
    poll(polled.data(), polled.size(), watching ? 5 : 1000);
    if (watching) watching = !options.while_running(child);
    if (std::chrono::steady_clock::now() > deadline) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
      FAIL("the program did not end; standard error so far: " << result.err);
    }
    if (polled[0].revents != 0) read_some(out, result.out);
    if (polled[1].revents != 0) read_some(err, result.err);
    if (!called && !result.out.empty()) {
      options.on_first_output(child);
      called = true;
    }
  }
}

}  // namespace

ProgramResult run_program(const std::vector<std::string>& arguments, const ProgramOptions& options) {
  Pipe in;
  Pipe out;
  Pipe err;
  std::vector<std::string> words{DMSCOPE_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  if (options.out_unread) out.close_end(0);
  const pid_t child = fork();
  REQUIRE(child != -1);
  if (child == 0) become_program(options, in, out, err, argv.data());
  in.close_end(0);
  out.close_end(1);
  err.close_end(1);
  ProgramResult result;
  write_input(in, options.input);
  read_until_both_end(child, out, err, options, result);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace support
