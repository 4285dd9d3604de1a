namespace MLNet.PQCompression.Cli.Terminal;

/// <summary>Passes the progress of some work on as steps, on the thread that reports it.</summary>
internal sealed class StepProgress<T>(IProgress<ProgressStep> target, Func<T, ProgressStep> convert) : IProgress<T>
{
    public void Report(T value) => target.Report(convert(value));
}
