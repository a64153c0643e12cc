import Glibc

@main
struct Main {
    static func main() {
        // Its own writes report a reader that has gone; the signal would end the process.
        signal(SIGPIPE, SIG_IGN)
        exit(Command.run(Array(CommandLine.arguments.dropFirst())).rawValue)
    }
}
