using System.Collections.Immutable;
using System.Numerics.Tensors;
using MLNet.PQCompression.Distillation.Managed.Kernels;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>A convolution, grouped or not, by <see cref="ConvolutionKernel"/>.</summary>
/// <remarks>
/// Groups whose channels are not whole vectors are merged until they are, with zeros between them: ResNeXt's groups of 4 become blocks of 16. The weight
/// gradient is summed in one buffer for each part of the batch, and the parts are added in order.
/// </remarks>
internal sealed unsafe class ConvolutionOperation : TrainingOperation, IDisposable
{
    private readonly Parameter _weight;
    private readonly Parameter? _bias;
    private readonly ConvolutionKernel _kernel;
    private readonly int _groups, _merged, _taps;
    private AlignedBuffer? _forwardWeights, _gradientWeights, _paddedBias;
    private int _forwardVersion = -1, _gradientVersion = -1;

    /// <summary>Plans a convolution.</summary>
    public ConvolutionOperation(Conv conv, ValueSlot input, ImmutableArray<Parameter> parameters, ValueSlot output)
        : base([input], parameters, output)
    {
        _weight = parameters[0];
        _bias = parameters.Length > 1 ? parameters[1] : null;
        _taps = conv.Window.KernelHeight * conv.Window.KernelWidth;
        _merged = MergedGroups(conv.Group, input.Layout.Channels / conv.Group, output.Layout.Channels / conv.Group);
        _groups = conv.Group / _merged;
        _kernel = new(conv.Window, input.Layout.Channels / _groups, output.Layout.Channels / _groups, input.Layout.Height, input.Layout.Width, SimdLevels.Best);
    }

    /// <inheritdoc/>
    public override bool ReadsInput(int index) => _weight.Trainable;

    /// <inheritdoc/>
    public override void Forward(StepContext context)
    {
        TapConvolution forward = _kernel.Forward;
        Prepare(context, forward, ref _forwardWeights, ref _forwardVersion, _taps, _kernel.Inputs * _taps);
        float* bias = PadBias();
        ValueLayout x = Inputs[0].Layout, y = Output.Layout;
        context.ForEachSample(n =>
        {
            AlignedBuffer packed = context.Buffers.Rent(forward.Image.Length);
            for (int g = 0; g < _groups; g++)
            {
                forward.Image.Pack(Inputs[0].Sample(n) + g * _kernel.Inputs, x.PaddedChannels, packed.Pointer);
                forward.Run(
                    packed.Pointer, _forwardWeights!.Pointer + g * forward.WeightsLength, bias is null ? null : bias + g * _kernel.Outputs,
                    Output.Sample(n) + g * _kernel.Outputs, y.PaddedChannels, accumulate: false);
            }
            context.Buffers.Return(packed);
        });
    }

    /// <inheritdoc/>
    public override void Backward(StepContext context)
    {
        if (_bias is { Trainable: true })
            ChannelSums.AddTo(context, Output, _bias.DenseGradient);
        bool accumulate = false;
        bool wantsInput = Inputs[0].NeedsGradient;
        if (wantsInput)
        {
            context.GradientTarget(Inputs[0], out accumulate);
            Prepare(context, _kernel.DataGradient, ref _gradientWeights, ref _gradientVersion, _kernel.Inputs * _taps, _taps);
        }
        if (_weight.Trainable)
            context.Sum(_weight.DenseGradient, (first, end, sum) => Backward(context, first, end, sum, wantsInput, accumulate));
        else
            Backward(context, 0, context.Count, null, wantsInput, accumulate);
    }

    private void Backward(StepContext context, int first, int last, float[]? weightGradient, bool wantsInput, bool accumulate)
    {
        int count = last - first, parts = context.GradientParts(count);
        AlignedBuffer? sums = null;
        long partLength = _kernel.WeightGradientLength * _groups;
        if (weightGradient is not null)
            sums = context.Buffers.Rent(parts * partLength);
        context.Workers.Run(parts, part =>
        {
            float* partSums = sums is null ? null : sums.Pointer + part * partLength;
            if (partSums is not null)
                new Span<float>(partSums, checked((int)partLength)).Clear();
            AlignedBuffer gradient = context.Buffers.Rent(_kernel.DataGradient.Image.Length);
            AlignedBuffer? input = partSums is null ? null : context.Buffers.Rent(_kernel.Forward.Image.Length);
            int end = first + (int)((long)count * (part + 1) / parts);
            for (int n = first + (int)((long)count * part / parts); n < end; n++)
                BackwardSample(n, input is null ? null : input.Pointer, gradient.Pointer, partSums, wantsInput, accumulate);
            context.Buffers.Return(gradient);
            if (input is not null)
                context.Buffers.Return(input);
        });
        if (sums is null)
            return;
        AddWeightGradient(context, sums.Pointer, parts, partLength, weightGradient!);
        context.Buffers.Return(sums);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _forwardWeights?.Dispose();
        _gradientWeights?.Dispose();
        _paddedBias?.Dispose();
    }

    private void BackwardSample(int n, float* packedInput, float* packedGradient, float* sums, bool wantsInput, bool accumulate)
    {
        ValueLayout x = Inputs[0].Layout, y = Output.Layout;
        TapConvolution data = _kernel.DataGradient;
        if (wantsInput && !accumulate && (_kernel.HasGaps || x.Channels % 16 != 0))
            new Span<float>(Inputs[0].GradientSample(n), x.Length).Clear();
        for (int g = 0; g < _groups; g++)
        {
            data.Image.Pack(Output.GradientSample(n) + g * _kernel.Outputs, y.PaddedChannels, packedGradient);
            if (sums is not null)
            {
                _kernel.Forward.Image.Pack(Inputs[0].Sample(n) + g * _kernel.Inputs, x.PaddedChannels, packedInput);
                _kernel.AccumulateWeightGradient(packedInput, packedGradient, sums + g * _kernel.WeightGradientLength);
            }
            if (wantsInput)
                data.Run(packedGradient, _gradientWeights!.Pointer + g * data.WeightsLength, null, Inputs[0].GradientSample(n) + g * _kernel.Inputs, x.PaddedChannels, accumulate);
        }
    }

    private void AddWeightGradient(StepContext context, float* sums, int parts, long partLength, float[] gradient)
    {
        int inputs = _kernel.Inputs / _merged, outputs = _kernel.Outputs / _merged;
        context.Workers.Run(_groups * _kernel.Outputs, row =>
        {
            int g = row / _kernel.Outputs, o = row % _kernel.Outputs, firstInput = o / outputs * inputs;
            int target = row * inputs * _taps;
            for (int i = 0; i < inputs; i++)
                for (int tap = 0; tap < _taps; tap++, target++)
                {
                    float* source = sums + g * _kernel.WeightGradientLength + _kernel.GradientIndex(tap, firstInput + i, o);
                    float sum = 0;
                    for (int part = 0; part < parts; part++)
                        sum += source[part * partLength];
                    gradient[target] += sum;
                }
        });
    }

    private void Prepare(StepContext context, TapConvolution target, ref AlignedBuffer? packed, ref int version, int inputStride, int outputStride)
    {
        if (packed is not null && version == _weight.Version)
            return;
        packed ??= new(target.WeightsLength * _groups);
        version = _weight.Version;
        int rowLength = _kernel.Inputs * _taps;
        fixed (float* dense = _merged == 1 ? _weight.Dense : Expand())
            for (int g = 0; g < _groups; g++)
                target.PackWeights(dense + (long)g * _kernel.Outputs * rowLength, inputStride, outputStride, packed.Pointer + g * target.WeightsLength, context.Workers);
    }

    // The block-diagonal weight of merged groups: C_out rows of the merged groups' input channels.
    private float[] Expand()
    {
        ReadOnlySpan<float> dense = _weight.Dense;
        int inputs = _kernel.Inputs / _merged * _taps, outputs = _kernel.Outputs / _merged, rows = _groups * _kernel.Outputs;
        var expanded = new float[rows * _kernel.Inputs * _taps];
        for (int row = 0; row < rows; row++)
            dense.Slice(row * inputs, inputs).CopyTo(expanded.AsSpan(row * _kernel.Inputs * _taps + row % _kernel.Outputs / outputs * inputs));
        return expanded;
    }

    private float* PadBias()
    {
        if (_bias is null)
            return null;
        int padded = Output.Layout.PaddedChannels + 16;
        _paddedBias ??= new(padded);
        Span<float> span = _paddedBias.Span(padded);
        span.Clear();
        _bias.Dense.CopyTo(span);
        return _paddedBias.Pointer;
    }

    private static int MergedGroups(int groups, int inputs, int outputs)
    {
        if (groups == 1)
            return 1;
        for (int merged = 1; merged < groups; merged++)
            if (groups % merged == 0 && merged * inputs % 16 == 0 && merged * outputs % 16 == 0)
                return merged;
        return groups;
    }
}
