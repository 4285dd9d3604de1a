using Microsoft.ML.OnnxRuntime;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.OnnxRuntime;

/// <summary>Brings images N×C×H×W into the form in which a document takes its image.</summary>
internal static class ImageFeed
{
    /// <summary>The input value.</summary>
    /// <exception cref="InvalidModelException">The document takes another number of images.</exception>
    public static OrtValue ToOrt(Activation images, DocumentInput input)
    {
        TensorShape shape = images.Shape;
        (int count, int channels, int height, int width) = (shape[0], shape[1], shape[2], shape[3]);
        if (input.Batch is { } batch && count != batch)
            throw new InvalidModelException($"The model takes {batch} images at once, not {count}.");
        var type = (TensorElementType)input.ElementType;
        if (input.Layout == ImageLayout.Encoded)
        {
            byte[] file = UncompressedPng.Encode(images.Span, channels, height, width);
            return OrtValue.CreateTensorValueFromMemory(file, [file.Length]);
        }
        bool isLast = input.Layout is ImageLayout.Nhwc or ImageLayout.Hwc;
        Memory<float> values = isLast ? ChannelsLast(images) : images.Memory;
        long[] sizes = isLast ? [height, width, channels] : [channels, height, width];
        return OrtTensors.FromFloats(values, input.Layout is ImageLayout.Nchw or ImageLayout.Nhwc ? [count, .. sizes] : sizes, type);
    }

    private static float[] ChannelsLast(Activation images)
    {
        (int count, int channels, int plane) = (images.Shape[0], images.Shape[1], images.Shape[2] * images.Shape[3]);
        ReadOnlySpan<float> source = images.Span;
        var target = new float[source.Length];
        for (int i = 0; i < count; i++)
            for (int c = 0; c < channels; c++)
                for (int p = 0; p < plane; p++)
                    target[(i * plane + p) * channels + c] = source[(i * channels + c) * plane + p];
        return target;
    }
}
