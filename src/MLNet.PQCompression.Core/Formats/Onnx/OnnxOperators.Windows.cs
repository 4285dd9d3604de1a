using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <content>Convolutions and pooling.</content>
internal static partial class OnnxOperators
{
    private static Conv Convolution(OnnxNode node)
    {
        TensorShape weight = node.WeightShape(1);
        return new(WindowOf(node, weight), (int)Bounded(node, node.Int("group", 1)));
    }

    private static ConvTranspose TransposedConvolution(OnnxNode node)
    {
        TensorShape weight = node.WeightShape(1);
        string auto = node.Has("auto_pad") ? node.Text("auto_pad", "NOTSET") : "NOTSET";
        Window window = WindowOf(node, weight);
        int group = (int)Bounded(node, node.Int("group", 1));
        int[] extra = Numbers(node, "output_padding", 2, 0) ?? [0, 0];
        int[]? shape = node.Ints("output_shape") is { } sizes ? [.. sizes.TakeLast(2).Select(s => (int)Bounded(node, s))] : null;
        if (shape is null && auto is "NOTSET" or "" or "VALID")
            return new(window, group, extra[0], extra[1]);
        var padless = new ConvTranspose(window with { PadTop = 0, PadLeft = 0, PadBottom = 0, PadRight = 0 }, group, extra[0], extra[1]);
        var pads = new int[4];
        for (int axis = 0; axis < 2; axis++)
        {
            long size = node.Shape(0)[2 + axis];
            if (Integers.IsMark(size))
                throw node.Unsupported($"its output's size needs a model with a fixed image size");
            int stride = axis == 0 ? window.StrideY : window.StrideX;
            long full = axis == 0 ? padless.OutputHeight((int)size) : padless.OutputWidth((int)size);
            long total = full - (shape?[axis] ?? size * stride);
            // More than there is: rows are added at the end.
            if (total < 0)
                padless = axis == 0 ? padless with { ExtraHeight = extra[0] - (int)total } : padless with { ExtraWidth = extra[1] - (int)total };
            total = Math.Max(0, total);
            (pads[axis], pads[2 + axis]) = auto == "SAME_UPPER" ? ((int)(total / 2), (int)(total - total / 2)) : ((int)(total - total / 2), (int)(total / 2));
        }
        return padless with { Window = window with { PadTop = pads[0], PadLeft = pads[1], PadBottom = pads[2], PadRight = pads[3] } };
    }

    private static Window WindowOf(OnnxNode node, TensorShape weight)
    {
        if (weight.Rank != 4)
            throw node.Unsupported($"only 2-D convolutions are supported; the weight is {weight}");
        Window window = SlidingWindow(node, [weight[2], weight[3]]);
        return (window.KernelHeight, window.KernelWidth) == (weight[2], weight[3])
            ? window
            : throw new InvalidModelException($"node '{node.Name}' ({node.Type}) has a kernel of {window.KernelHeight}×{window.KernelWidth} and a weight of {weight}");
    }

    private static MaxPool MaxPooling(OnnxNode node)
    {
        if (node.Int("storage_order", 0) != 0)
            throw node.Unsupported("only storage_order 0 is supported");
        return new(SlidingWindow(node, null), node.Int("ceil_mode", 0) != 0);
    }

    private static Window SlidingWindow(OnnxNode node, int[]? kernelOfWeight)
    {
        int[] kernel = Pair(node, "kernel_shape", 1) ?? kernelOfWeight ?? throw new InvalidModelException($"node '{node.Name}' ({node.Type}) lacks kernel_shape");
        int[] strides = Pair(node, "strides", 1) ?? [1, 1], dilations = Pair(node, "dilations", 1) ?? [1, 1];
        int[] pads = Numbers(node, "pads", 4, 0) ?? [0, 0, 0, 0];
        string auto = node.Text("auto_pad", "NOTSET");
        if (auto == "VALID")
            pads = [0, 0, 0, 0];
        else if (auto is "SAME_UPPER" or "SAME_LOWER")
            pads = node.Type == "ConvTranspose" ? [0, 0, 0, 0] : SamePadding(node, auto, kernel, strides, dilations);
        else if (auto is not ("NOTSET" or ""))
            throw node.Unsupported($"auto_pad {auto} is not supported");
        return new(kernel[0], kernel[1], strides[0], strides[1], pads[0], pads[1], pads[2], pads[3], dilations[0], dilations[1]);
    }

    private static int[] SamePadding(OnnxNode node, string auto, int[] kernel, int[] strides, int[] dilations)
    {
        var pads = new int[4];
        for (int axis = 0; axis < 2; axis++)
        {
            long size = node.Shape(0)[2 + axis], reach = (kernel[axis] - 1L) * dilations[axis] + 1;
            // With a stride of 1, or a kernel no larger than the stride, the padding is the same for every size that the strides divide.
            if (Integers.IsMark(size))
                size = strides[axis] == 1 ? reach : throw node.Unsupported($"auto_pad {auto} needs a model with a fixed image size");
            long total = Math.Max(0, ((size + strides[axis] - 1) / strides[axis] - 1) * strides[axis] + reach - size), small = total / 2;
            if (total > 2L * MaxWindow)
                throw node.Unsupported($"auto_pad {auto} asks for a padding of {total}");
            (pads[axis], pads[2 + axis]) = auto == "SAME_UPPER" ? ((int)small, (int)(total - small)) : ((int)(total - small), (int)small);
        }
        return pads;
    }

    private static int[]? Pair(OnnxNode node, string attribute, int least) => Numbers(node, attribute, 2, least);

    private static int[]? Numbers(OnnxNode node, string attribute, int count, int least)
    {
        if (node.Ints(attribute) is not { } values)
            return null;
        if (values.Length != count)
            throw node.Unsupported($"{attribute} [{string.Join(", ", values)}] is not that of a 2-D window");
        var numbers = new int[count];
        for (int i = 0; i < count; i++)
            numbers[i] = values[i] >= least && values[i] <= MaxWindow
                ? (int)values[i]
                : throw node.Unsupported($"{attribute} [{string.Join(", ", values)}] is out of range");
        return numbers;
    }
}
