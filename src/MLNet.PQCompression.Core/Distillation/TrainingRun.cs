using System.Diagnostics;
using MLNet.PQCompression.Distillation.Data;

namespace MLNet.PQCompression.Distillation;

/// <summary>The loop that every kind of training shares: draw a batch, find its target, step, report.</summary>
internal sealed class TrainingRun
{
    /// <summary>The model that is trained.</summary>
    public required ITrainingModel Model { get; init; }

    /// <summary>The batches.</summary>
    public required BatchStream Batches { get; init; }

    /// <summary>Which images of a batch are this rank's; null for all.</summary>
    public BatchShare? Share { get; init; }

    /// <summary>Makes the target of a batch.</summary>
    public required Func<DrawnBatch, TrainingTarget> Target { get; init; }

    /// <summary>The rate and its schedule.</summary>
    public required RateOptions Rate { get; init; }

    /// <summary>The stage and layer to report.</summary>
    public required (string Stage, string? Layer) Name { get; init; }

    /// <summary>Steps in all.</summary>
    public required long Steps { get; init; }

    /// <summary>The number of the run's first batch.</summary>
    public long FirstBatch { get; init; }

    /// <summary>Called after each step with the number of steps done and what the last one learned from.</summary>
    public Action<long, TrainingBatch>? AfterStep { get; init; }

    /// <summary>Runs the steps from <paramref name="firstStep"/> on.</summary>
    /// <exception cref="OperationCanceledException">Cancelled between two steps.</exception>
    /// <exception cref="NotFiniteNumberException">The loss is not a number any more.</exception>
    public void Run(long firstStep, IProgress<DistillationProgress>? progress, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        long step = firstStep, reported = firstStep;
        double losses = 0;
        TimeSpan lastReport = TimeSpan.Zero;
        foreach (DrawnBatch batch in Batches.Read(FirstBatch + firstStep, Steps - firstStep, cancellationToken, Share))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var learned = new TrainingBatch(batch.Images, batch.Count, Target(batch)) { Total = batch.Total, First = batch.First };
            double loss = Model.ComputeGradients(learned);
            if (!double.IsFinite(loss))
                throw new NotFiniteNumberException($"The loss became {loss} at step {step + 1} of {Steps} ({Name.Stage}{(Name.Layer is null ? "" : $" {Name.Layer}")}): the learning rate {Rate.LearningRate} is too high.");
            Model.Update(Rate.LearningRate * Rate.Schedule.Factor((double)step / Steps));
            losses += loss;
            step++;
            AfterStep?.Invoke(step, learned);
            TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
            if (progress is null || (step < Steps && elapsed - lastReport < TimeSpan.FromSeconds(0.5)))
                continue;
            double rate = (step - firstStep) / elapsed.TotalSeconds;
            progress.Report(new(Name.Stage, Name.Layer, step, Steps, losses / (step - reported), rate * batch.Total, TimeSpan.FromSeconds((Steps - step) / rate)));
            (lastReport, reported, losses) = (elapsed, step, 0);
        }
        cancellationToken.ThrowIfCancellationRequested();
    }
}
