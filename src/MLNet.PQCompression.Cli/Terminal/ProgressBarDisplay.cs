using Spectre.Console;

namespace MLNet.PQCompression.Cli.Terminal;

/// <summary>A bar with the remaining time, drawn in place on a terminal and cleared at the end.</summary>
internal static class ProgressBarDisplay
{
    public static T Run<T>(TextWriter terminal, string title, Func<IProgress<ProgressStep>, T> work)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(terminal) });
        return console.Progress()
            .AutoClear(true)
            .Columns(new SpinnerColumn(), new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn(), new RemainingTimeColumn())
            .Start(context => work(new Bar(context.AddTask(Markup.Escape(title), maxValue: 1))));
    }

    private sealed class Bar(ProgressTask task) : IProgress<ProgressStep>
    {
        public void Report(ProgressStep value)
        {
            task.Description = Markup.Escape(value.Text);
            task.Value = value.Fraction;
        }
    }
}
