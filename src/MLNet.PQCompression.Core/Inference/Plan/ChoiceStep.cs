using System.Diagnostics;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>Several ways to compute the same layer, of which the cheapest by the cost model, or the fastest where they are timed, is taken for each batch size. They share their weights.</summary>
internal sealed class ChoiceStep : Step
{
    private const int Batches = 32, Trials = 5;

    private readonly Step[] _ways;
    private readonly Step[] _best;

    public ChoiceStep(Step[] ways) : base(ways[0].Name, ways[0].Output, ways[0].Inputs)
    {
        _ways = ways;
        _best = new Step[Batches];
        for (int batch = 1; batch <= Batches; batch++)
            _best[batch - 1] = Cheapest(way => ((IConvolutionKernel)way).Cost(batch));
    }

    public override string Kernel => _best[0].Kernel;

    public override long Operations => _best[0].Operations;

    public override long WeightBytes => Most(way => way.WeightBytes);

    public override long SharedScratch => Most(way => way.SharedScratch);

    public override long ThreadScratch => Most(way => way.ThreadScratch);

    public override int Phases(Workspace workspace) => For(workspace).Phases(workspace);

    public override int Parts(Workspace workspace, int phase) => For(workspace).Parts(workspace, phase);

    public override void Run(Workspace workspace, int phase, int part, int worker) => For(workspace).Run(workspace, phase, part, worker);

    /// <summary>Times each way on the workspace's images and keeps the fastest for as many; the output is computed.</summary>
    public void Tune(Workspace workspace) => _best[Math.Min(workspace.Count, Batches) - 1] = Cheapest(way =>
    {
        long best = long.MaxValue;
        for (int i = 0; i < Trials; i++)
        {
            long start = Stopwatch.GetTimestamp();
            workspace.Run(way, null);
            best = Math.Min(best, Stopwatch.GetTimestamp() - start);
        }
        return best;
    });

    private Step Cheapest(Func<Step, double> cost)
    {
        (Step cheapest, double least) = (_ways[0], cost(_ways[0]));
        foreach (Step way in _ways.AsSpan(1))
            if (cost(way) is var other && other < least)
                (cheapest, least) = (way, other);
        return cheapest;
    }

    private long Most(Func<Step, long> amount)
    {
        long most = 0;
        foreach (Step way in _ways)
            most = Math.Max(most, amount(way));
        return most;
    }

    private Step For(Workspace workspace) => _best[workspace.BatchInvariant ? 0 : Math.Min(workspace.Count, Batches) - 1];
}
