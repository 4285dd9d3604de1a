using System.Globalization;

namespace MLNet.PQCompression.Cli.Terminal;

/// <summary>Progress as plain lines, for logs: the first after a second, then at most one every few seconds, each with the remaining time.</summary>
internal sealed class ProgressLines(TextWriter output, string title, TimeProvider clock) : IProgress<ProgressStep>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstLine = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly long _start = clock.GetTimestamp();
    private TimeSpan _next = FirstLine;

    public void Report(ProgressStep value)
    {
        lock (_lock)
        {
            TimeSpan elapsed = clock.GetElapsedTime(_start);
            if (elapsed < _next)
                return;
            _next = elapsed + Interval;
            TimeSpan? remaining = value.Remaining ?? (value.Fraction > 0 ? elapsed * ((1 - value.Fraction) / value.Fraction) : null);
            string left = remaining is { } rest && value.Fraction < 1 ? $", {Clock(rest)} left" : "";
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{title}: {value.Fraction * 100:0}% {value.Text}, {Clock(elapsed)} so far{left}"));
        }
    }

    private static string Clock(TimeSpan time) =>
        time.TotalHours >= 1 ? time.ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture) : time.ToString(@"m\:ss", CultureInfo.InvariantCulture);
}
