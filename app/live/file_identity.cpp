#include "app/live/file_identity.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace app::live {

std::optional<FileIdentity> identity_of(const std::filesystem::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
  return FileIdentity{facts.st_dev, facts.st_ino};
}

// Lines as "1: POSIX  ADVISORY  READ 4711 08:01:1048602 128 128". Compared by inode: some file systems
// (btrfs, overlays) show another device there than stat() does.
bool locked_by_another_process(const FileIdentity& file) {
  std::ifstream locks("/proc/locks");
  std::string line;
  while (std::getline(locks, line)) {
    int pid = 0;
    unsigned major_number = 0, minor_number = 0;
    unsigned long long inode = 0;
    const int read = std::sscanf(line.c_str(), "%*d: %*s %*s %*s %d %x:%x:%llu", &pid, &major_number,
                                 &minor_number, &inode);
    if (read == 4 && inode == file.inode && pid != ::getpid()) return true;
  }
  return false;
}

}  // namespace app::live
