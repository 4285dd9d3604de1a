using MLNet.PQCompression.Cli.Terminal;

namespace MLNet.PQCompression.Cli.Tests;

public sealed class ProgressLinesTests
{
    [Fact]
    public void Lines_come_at_intervals_with_the_time_so_far_and_left()
    {
        var clock = new ManualClock();
        var output = new StringWriter { NewLine = "\n" };
        var lines = new ProgressLines(output, "compress", clock);
        lines.Report(new(0, "work that takes no second says nothing"));
        clock.Advance(2);
        lines.Report(new(0, "reading images"));
        clock.Advance(2);
        lines.Report(new(0.1, "too soon to be shown"));
        clock.Advance(26);
        lines.Report(new(0.25, "layer1.0.conv1"));
        Assert.Equal("compress: 0% reading images, 0:02 so far\ncompress: 25% layer1.0.conv1, 0:30 so far, 1:30 left\n", output.ToString());
    }

    [Fact]
    public void The_time_left_is_what_the_work_says_where_it_says_so()
    {
        var clock = new ManualClock();
        var output = new StringWriter { NewLine = "\n" };
        var lines = new ProgressLines(output, "compress", clock);
        clock.Advance(30);
        lines.Report(new(0.25, "layer1.0.conv1", TimeSpan.FromSeconds(200)));
        Assert.Equal("compress: 25% layer1.0.conv1, 0:30 so far, 3:20 left\n", output.ToString());
    }

    private sealed class ManualClock : TimeProvider
    {
        private long _seconds;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _seconds;

        public void Advance(int seconds) => _seconds += seconds;
    }
}
