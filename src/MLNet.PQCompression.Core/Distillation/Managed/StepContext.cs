using System.Numerics.Tensors;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Distillation.Managed;

/// <summary>What the operations of a pass share: threads, memory, the number of samples and the mode.</summary>
/// <param name="workers">The threads.</param>
/// <param name="buffers">The memory.</param>
/// <param name="share">How ranks share a batch.</param>
internal sealed unsafe class StepContext(WorkerPool workers, BufferPool buffers, BatchShare share)
{
    private const int SharedGradientParts = 8;

    /// <summary>The threads.</summary>
    public WorkerPool Workers { get; } = workers;

    /// <summary>The memory.</summary>
    public BufferPool Buffers { get; } = buffers;

    /// <summary>This rank's samples of the batch.</summary>
    public int Count { get; set; }

    /// <summary>Samples of all ranks.</summary>
    public int Total { get; set; }

    /// <summary>Parts of so many samples that gradients are summed in at the same time. Of shared batches they do not depend on the threads.</summary>
    public int GradientParts(int samples) => Math.Min(samples, share.IsShared ? SharedGradientParts : Workers.Threads * 2);

    /// <summary>The samples of each part of a shared batch, else all of them.</summary>
    public IEnumerable<(int Part, int First, int End)> Ranges => share.Ranges(Total);

    /// <summary>Adds what the samples of all ranks contribute; see <see cref="BatchShare.Sum(int, float[], Action{int, int, float[]})"/>.</summary>
    public void Sum(float[] target, Action<int, int, float[]> add) => share.Sum(Total, target, add);

    /// <summary>Adds up what the samples of all ranks contribute.</summary>
    public double[] Sum(int length, Action<int, int, double[]> add) => share.Sum(Total, length, add);

    /// <summary>Whether BatchNormalization uses the batch's own statistics and moves the running ones.</summary>
    public bool BatchStatistics { get; set; }

    /// <summary>Lends room for a value's data.</summary>
    public void Allocate(ValueSlot slot) => slot.Data = Buffers.Rent((long)Count * slot.Layout.Length);

    /// <summary>Runs a body for each sample.</summary>
    public void ForEachSample(Action<int> body) => Workers.Run(Count, body);

    /// <summary>The buffer to put a gradient in, and whether there is one already that must be added to.</summary>
    public AlignedBuffer GradientTarget(ValueSlot slot, out bool accumulate)
    {
        accumulate = slot.Gradient is not null;
        return slot.Gradient ??= Buffers.Rent((long)Count * slot.Layout.Length);
    }

    /// <summary>Adds to the gradient of a value, sample by sample; the first to add finds zeros.</summary>
    /// <param name="slot">The value.</param>
    /// <param name="add">Adds the gradient of a sample.</param>
    public void AddToGradient(ValueSlot slot, Action<int> add)
    {
        GradientTarget(slot, out bool accumulate);
        ForEachSample(n =>
        {
            if (!accumulate)
                new Span<float>(slot.GradientSample(n), slot.Layout.Length).Clear();
            add(n);
        });
    }

    /// <summary>Makes a finished buffer the gradient of a value, or adds it to what is there. The buffer is no longer the caller's.</summary>
    public void GiveGradient(ValueSlot slot, AlignedBuffer gradient)
    {
        if (slot.Gradient is not { } present)
        {
            slot.Gradient = gradient;
            return;
        }
        int length = slot.Layout.Length;
        ForEachSample(n =>
        {
            var target = new Span<float>(present.Pointer + (long)n * length, length);
            TensorPrimitives.Add(target, new ReadOnlySpan<float>(gradient.Pointer + (long)n * length, length), target);
        });
        Buffers.Return(gradient);
    }

    /// <summary>Takes the gradient of a value away from it; the caller gives it on or returns it.</summary>
    public static AlignedBuffer TakeGradient(ValueSlot slot)
    {
        AlignedBuffer gradient = slot.Gradient ?? throw new InvalidOperationException($"No gradient has reached '{slot.Name}'.");
        slot.Gradient = null;
        return gradient;
    }
}
