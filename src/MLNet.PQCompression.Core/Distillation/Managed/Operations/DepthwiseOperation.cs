using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>A depthwise convolution: every channel has its own filter. Channels lie together, so each tap is one vector multiply-add for 16 of them.</summary>
internal sealed unsafe class DepthwiseOperation(Conv conv, ValueSlot input, ImmutableArray<Parameter> parameters, ValueSlot output)
    : TrainingOperation([input], parameters, output)
{
    private readonly Window _window = conv.Window;

    private int Taps => _window.KernelHeight * _window.KernelWidth;

    /// <inheritdoc/>
    public override bool ReadsInput(int index) => Parameters[0].Trainable;

    /// <inheritdoc/>
    public override void Forward(StepContext context)
    {
        AlignedBuffer weights = TransposedWeights(context);
        float[] bias = new float[Output.Layout.PaddedChannels];
        if (Parameters.Length > 1)
            Parameters[1].Dense.CopyTo(bias);
        int channels = Output.Layout.PaddedChannels;
        context.ForEachSample(n =>
        {
            float* x = Inputs[0].Sample(n), y = Output.Sample(n);
            for (int pixel = 0; pixel < Output.Layout.Pixels; pixel++)
                bias.CopyTo(new Span<float>(y + pixel * channels, channels));
            ForEachTap((from, to, tap) => MultiplyAdd(x + from, weights.Pointer + tap * channels, y + to, channels));
        });
        context.Buffers.Return(weights);
    }

    /// <inheritdoc/>
    public override void Backward(StepContext context)
    {
        if (Parameters.Length > 1 && Parameters[1].Trainable)
            ChannelSums.AddTo(context, Output, Parameters[1].DenseGradient);
        int channels = Output.Layout.PaddedChannels;
        if (Inputs[0].NeedsGradient)
        {
            AlignedBuffer weights = TransposedWeights(context);
            context.AddToGradient(Inputs[0], n =>
            {
                float* dx = Inputs[0].GradientSample(n), dy = Output.GradientSample(n);
                ForEachTap((from, to, tap) => MultiplyAdd(dy + to, weights.Pointer + tap * channels, dx + from, channels));
            });
            context.Buffers.Return(weights);
        }
        if (Parameters[0].Trainable)
            AddWeightGradient(context, channels);
    }

    private void AddWeightGradient(StepContext context, int channels)
    {
        int length = Taps * channels;
        AlignedBuffer sums = context.Buffers.Rent((long)context.Count * length);
        context.ForEachSample(n =>
        {
            float* sum = sums.Pointer + (long)n * length, x = Inputs[0].Sample(n), dy = Output.GradientSample(n);
            new Span<float>(sum, length).Clear();
            ForEachTap((from, to, tap) => MultiplyAdd(x + from, dy + to, sum + tap * channels, channels));
        });
        float[] gradient = Parameters[0].DenseGradient;
        double[] totals = context.Sum(gradient.Length, (first, end, total) =>
        {
            for (int i = 0; i < total.Length; i++)
                for (int n = first; n < end; n++)
                    total[i] += sums.Pointer[(long)n * length + i % Taps * channels + i / Taps];
        });
        for (int i = 0; i < gradient.Length; i++)
            gradient[i] += (float)totals[i];
        context.Buffers.Return(sums);
    }

    private delegate void TapBody(int input, int output, int tap);

    private void ForEachTap(TapBody body)
    {
        ValueLayout x = Inputs[0].Layout, y = Output.Layout;
        for (int oy = 0; oy < y.Height; oy++)
            for (int ox = 0; ox < y.Width; ox++)
                for (int tap = 0; tap < Taps; tap++)
                {
                    int iy = oy * _window.StrideY - _window.PadTop + tap / _window.KernelWidth * _window.DilationY;
                    int ix = ox * _window.StrideX - _window.PadLeft + tap % _window.KernelWidth * _window.DilationX;
                    if ((uint)iy < (uint)x.Height && (uint)ix < (uint)x.Width)
                        body((iy * x.Width + ix) * x.PaddedChannels, (oy * y.Width + ox) * y.PaddedChannels, tap);
                }
    }

    private static void MultiplyAdd(float* a, float* b, float* sum, int count)
    {
        for (int i = 0; i < count; i += 16)
            Vector512.FusedMultiplyAdd(Vector512.Load(a + i), Vector512.Load(b + i), Vector512.Load(sum + i)).Store(sum + i);
    }

    private AlignedBuffer TransposedWeights(StepContext context)
    {
        int channels = Output.Layout.PaddedChannels;
        AlignedBuffer weights = context.Buffers.Rent(Taps * channels);
        ReadOnlySpan<float> dense = Parameters[0].Dense;
        Span<float> target = weights.Span(Taps * channels);
        target.Clear();
        for (int i = 0; i < dense.Length; i++)
            target[i % Taps * channels + i / Taps] = dense[i];
        return weights;
    }
}
