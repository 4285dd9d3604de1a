using System.Diagnostics;
using System.Globalization;

namespace MLNet.PQCompression.Mpi.Tests;

/// <summary>The tool as a job of several processes.</summary>
internal sealed class MpiJob : IDisposable
{
    private static readonly string Dll = typeof(Cli.Tool).Assembly.Location;
    private static readonly string? Launcher = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .SelectMany(folder => (string[])[Path.Combine(folder, "mpiexec.mpich"), Path.Combine(folder, "mpiexec.hydra"), Path.Combine(folder, "mpiexec")]).FirstOrDefault(File.Exists);

    private readonly Process _process;
    private readonly Task<string> _error;

    private MpiJob(ProcessStartInfo start)
    {
        _process = Process.Start(start)!;
        _error = _process.StandardError.ReadToEndAsync();
        _process.StandardOutput.ReadToEndAsync();
    }

    /// <summary>Skips a test where there is no MPI.</summary>
    public static void Need()
    {
        bool isThere = MpiLibrary.TryLoad(out string reason);
        Skip.IfNot(isThere, $"needs MPICH: {reason}");
        Skip.If(Launcher is null, "needs MPICH's mpiexec");
    }

    /// <summary>Starts the tool on so many ranks of one thread each.</summary>
    public static MpiJob Start(int ranks, params string[] arguments) =>
        new(Redirected(new(Launcher!, ["-n", ranks.ToString(CultureInfo.InvariantCulture), "dotnet", Dll, .. arguments, "--threads", "1", "--mpi"])));

    /// <summary>Starts the tool without a launcher.</summary>
    public static MpiJob StartAlone(string variable, string value, params string[] arguments)
    {
        ProcessStartInfo start = Redirected(new("dotnet", [Dll, .. arguments]));
        start.Environment[variable] = value;
        return new(start);
    }

    /// <summary>Waits for the end.</summary>
    public (int Code, string Error) Wait()
    {
        if (!_process.WaitForExit(TimeSpan.FromMinutes(5)))
        {
            _process.Kill(entireProcessTree: true);
            Assert.Fail("the job hangs");
        }
        return (_process.ExitCode, _error.GetAwaiter().GetResult());
    }

    /// <summary>Waits for the end, which must be a good one.</summary>
    public string Succeeds()
    {
        (int code, string error) = Wait();
        Assert.True(code == 0, error);
        return error;
    }

    /// <summary>The process of a rank, told by its environment and a text of its command line.</summary>
    public static int ProcessOf(int rank, string text)
    {
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(folder), out int id) && Read(folder, "cmdline").Contains(text, StringComparison.Ordinal) && Read(folder, "environ").Split('\0').Contains($"PMI_RANK={rank}"))
                return id;
        throw new InvalidOperationException($"There is no rank {rank}.");
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private static string Read(string folder, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ""; // It has ended, or is another user's.
        }
    }

    private static ProcessStartInfo Redirected(ProcessStartInfo start)
    {
        (start.RedirectStandardError, start.RedirectStandardOutput) = (true, true);
        return start;
    }
}
