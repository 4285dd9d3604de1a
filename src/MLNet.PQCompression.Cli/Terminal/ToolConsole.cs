namespace MLNet.PQCompression.Cli.Terminal;

/// <summary>Where a command writes: results to standard output, everything else to standard error.</summary>
internal sealed class ToolConsole(TextWriter output, TextWriter error, bool json, CancellationToken cancellationToken)
{
    /// <summary>Columns that text may take: the terminal's, or 80 where there is none.</summary>
    public static int Width => Console.IsOutputRedirected || Console.WindowWidth <= 0 ? 80 : Console.WindowWidth;

    /// <summary>Whether the result is wanted as JSON.</summary>
    public bool Json => json;

    /// <summary>Set when the user pressed Ctrl-C.</summary>
    public CancellationToken CancellationToken => cancellationToken;

    /// <summary>The same that says nothing, for a rank beside the first.</summary>
    public ToolConsole Silent() => new(TextWriter.Null, TextWriter.Null, json, cancellationToken);

    /// <summary>Writes the result: one of the two forms, as the user asked.</summary>
    public void WriteResult(Func<string> asText, Func<string> asJson)
    {
        string result = json ? asJson() : asText();
        output.Write(result);
        if (!result.EndsWith('\n'))
            output.WriteLine();
    }

    /// <summary>Tells something that is not part of the result.</summary>
    public void Note(string text) => error.WriteLine(text);

    /// <summary>Runs some work that reports its progress, and shows that: a bar on a terminal, now and then a line elsewhere.</summary>
    /// <exception cref="WorkException">The work threw an <see cref="ArgumentException"/>. Arguments have been checked by then, so it is not the command line that is wrong.</exception>
    public T Track<T>(string title, Func<IProgress<ProgressStep>, T> work)
    {
        bool terminal = ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected;
        return terminal ? ProgressBarDisplay.Run(error, title, Guarded) : Guarded(new ProgressLines(error, title, TimeProvider.System));

        T Guarded(IProgress<ProgressStep> progress)
        {
            try
            {
                return work(progress);
            }
            catch (ArgumentException e)
            {
                throw new WorkException(e);
            }
        }
    }
}
