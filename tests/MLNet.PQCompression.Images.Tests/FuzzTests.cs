using MLNet.PQCompression.Fuzz;

namespace MLNet.PQCompression.Tests;

/// <summary>The beginning of what the fuzzer does by command (docs/security.md): the same damaged files each time, for every reader.</summary>
public class FuzzTests
{
    public static TheoryData<string> Targets => [.. FuzzTargets.All.Select(t => t.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Damaged_files_are_read_or_refused_and_nothing_else(string name)
    {
        var run = new FuzzRun(FuzzTargets.All.Single(t => t.Name == name), seed: 1);
        int executions = name.StartsWith("onnx", StringComparison.Ordinal) ? 2000 : 5000;
        while (run.Next < executions)
            if (run.Step() is { } finding && !finding.IsSlow) // Time is not judged beside other tests.
                Assert.Fail($"{finding.Target}:{finding.Index} ({Convert.ToBase64String(finding.File)}): {finding.What}");
        Assert.True(run[Outcome.Refused] > executions / 10, "hardly anything is refused");
        Assert.True(run[Outcome.Read] + run[Outcome.Used] > executions / 100, "hardly anything is read");
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void What_is_damaged_was_sound(string name)
    {
        IFuzzTarget target = FuzzTargets.All.Single(t => t.Name == name);
        foreach (byte[] file in target.Sound)
            try
            {
                Assert.NotEqual(Outcome.Refused, target.Run(file));
            }
            catch (Graph.UnsupportedOperatorException) when (name == "onnx-train") // Scored, but not trained.
            {
            }
    }

    [Fact]
    public void The_same_seed_damages_files_alike()
    {
        foreach ((IFuzzTarget first, IFuzzTarget second) in FuzzTargets.All.Zip(FuzzTargets.All))
            Assert.Equal(new FuzzRun(first, 3).Make(77), new FuzzRun(second, 3).Make(77));
    }
}
