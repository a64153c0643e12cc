/// How the program ends, in the numbers of `sysexits.h`.
enum ExitCode: Int32, Error {
    case success = 0
    case failure = 1
    case usage = 64
    case data = 65
    case noInput = 66
    case unavailable = 69
    case configuration = 78
}
