using Spectre.Console;
using Spectre.Console.Rendering;

namespace MLNet.PQCompression.Cli.Terminal;

/// <summary>A bar with the remaining time, drawn in place on a terminal and cleared at the end.</summary>
internal static class ProgressBarDisplay
{
    private const string Remaining = "remaining";

    public static T Run<T>(TextWriter terminal, string title, Func<IProgress<ProgressStep>, T> work)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(terminal) });
        return console.Progress()
            .AutoClear(true)
            .Columns(new SpinnerColumn(), new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn(), new RemainingColumn())
            .Start(context => work(new Bar(context.AddTask(Markup.Escape(title), maxValue: 1))));
    }

    private sealed class Bar(ProgressTask task) : IProgress<ProgressStep>
    {
        public void Report(ProgressStep value)
        {
            task.Description = Markup.Escape(value.Text);
            task.Value = value.Fraction;
            if (value.Remaining is { } remaining)
                task.State.Update<TimeSpan>(Remaining, _ => remaining);
        }
    }

    /// <summary>What the work says of its remaining time, or what the bar's speed says where the work does not.</summary>
    private sealed class RemainingColumn : ProgressColumn
    {
        private readonly RemainingTimeColumn _bySpeed = new();

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            task.State.Get<TimeSpan>(Remaining) is { Ticks: > 0 } remaining
                ? new Text(remaining.ToString(@"hh\:mm\:ss", System.Globalization.CultureInfo.InvariantCulture), new Style(Color.Blue))
                : _bySpeed.Render(options, task, deltaTime);
    }
}
