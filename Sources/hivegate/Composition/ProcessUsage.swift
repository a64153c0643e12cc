import Base
import Glibc

/// What the kernel knows of this process.
enum ProcessUsage {
    static func residentBytes() -> Double {
        guard let content = Files.read("/proc/self/statm") else { return 0 }
        let fields = content.split(separator: 0x20)
        guard fields.count > 1, let pages = Double(String(decoding: fields[1], as: UTF8.self)) else {
            return 0
        }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    static func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    static func descriptorCount() -> Double {
        guard let directory = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(directory) }
        var count = -3  // ".", ".." and the directory itself.
        while readdir(directory) != nil { count += 1 }
        return Double(count)
    }
}
