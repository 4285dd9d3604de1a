using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Mpi;
using MLNet.PQCompression.TorchSharp;

namespace MLNet.PQCompression.Cli.Terminal;

/// <summary>Arguments that are well-formed one by one but wrong together.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>Work that failed though its arguments had been found good.</summary>
internal sealed class WorkException(ArgumentException cause) : Exception(cause.Message, cause);

/// <summary>Turns an exception into one line for the user and an exit code.</summary>
internal static class ErrorReport
{
    public static int Write(Exception exception, TextWriter error, bool verbose, CancellationToken cancellationToken)
    {
        Exception cause = exception;
        while (cause is AggregateException { InnerExceptions.Count: 1 } aggregate)
            cause = aggregate.InnerExceptions[0];
        string who = "";
        if (cause is MpiRankException { InnerException: { } own } rank)
            (cause, who) = (own, rank.Message + ": ");
        if (cause is OperationCanceledException && cancellationToken.IsCancellationRequested)
        {
            error.WriteLine("cancelled");
            return Tool.Failed;
        }
        error.WriteLine($"error: {who}{OneLine(Message(cause is WorkException { InnerException: { } inner } ? inner : cause))}");
        if (verbose)
            error.WriteLine(exception);
        return cause is UsageException or ArgumentException ? Tool.WrongUsage : Tool.Failed;
    }

    private static string Message(Exception cause) => cause switch
    {
        FileNotFoundException { FileName: { Length: > 0 } file } e when !e.Message.Contains(file, StringComparison.Ordinal) => $"{e.Message} ({file})",
        ArgumentException { ParamName: { } parameter } => cause.Message.Replace($" (Parameter '{parameter}')", "", StringComparison.Ordinal),
        ArgumentException or UsageException or InvalidModelException or InvalidImageException or IOException or InvalidDataException
            or FormatException or NotFiniteNumberException or UnauthorizedAccessException or TorchUnavailableException or MpiUnavailableException or DeviceOutOfMemoryException => cause.Message,
        OutOfMemoryException => "out of memory; try a smaller --max-images or --limit",
        _ => $"unexpected {cause.GetType().Name}: {cause.Message} (--verbose shows where)",
    };

    private static string OneLine(string text) => string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
