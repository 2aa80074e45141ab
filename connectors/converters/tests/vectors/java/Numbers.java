import java.math.BigDecimal;
import java.util.Random;

/** How Java prints numbers. */
final class Numbers {
    static void write(Vectors to) throws Exception {
        double[] doubles = {
            0.0, -0.0, 1.0, -1.0, 0.1, 0.2, 0.3, 0.1 + 0.2, 100.0, 1e3, 999999.9, 1e6, 9999999.0, 1e7, 1.0E7 + 0.5, 12345678.9, 1e10, 1e16, 1e21, 1e22, 1e23, 2e23, 8.41E21,
            2.0E-3, 1e-3, 9.999e-4, 1e-4, 1e-5, 5.0E-324, 1.0E-323, 2.2250738585072014E-308, 1.7976931348623157E308, 3.141592653589793, 2.718281828459045,
            9007199254740992.0, 9007199254740993.0, 4.35, 4.349999999999999, 0.001, 0.0010000000000000002, 1.1, 2.5, 1e15, 123456789012345680.0, 4.9406564584124654E-324,
            2.98023223876953125E-8, 1.0E23, 9.5367431640625E-7, 2.2E-322, 17976931348623157E292, 0x1p-1074, 0x1p-1022, 0x1p63, -0x1p63, 0x1p53, 1.0e-7, 33.3, 99.99, 19.95, 1234.5678,
            Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY,
        };
        for (double number : doubles) line(to, number);
        float[] floats = {
            0f, -0f, 1f, -1f, 0.1f, 0.2f, 0.3f, 1e3f, 9999999f, 1e7f, 1.0e10f, 1e-3f, 9.99e-4f, 1e-10f, 1.4E-45f, 1.17549435E-38f, 3.4028235E38f, 3.1415927f, 16777216f, 33554432f,
            8388608.5f, 4.35f, 1.1f, 2.0e-3f, 3.3e38f, 1.0e-44f, 2.3509887E-38f, 0.33333334f, 123456.79f, 1.2345679E8f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY,
        };
        for (float number : floats) line(to, number);
        Random random = new Random(17);
        for (int i = 0; i < 400; i++) line(to, Double.longBitsToDouble(random.nextLong()));
        for (int i = 0; i < 200; i++) line(to, Float.intBitsToFloat(random.nextInt()));
        // What data looks like: few digits before and after the point.
        for (int i = 0; i < 200; i++) line(to, random.nextInt(100_000_000) / Math.pow(10, random.nextInt(9)));
        for (int i = 0; i < 100; i++) line(to, (float) (random.nextInt(1_000_000) / Math.pow(10, random.nextInt(7))));
        // Near powers of ten and of two, where digit generation differs between algorithms.
        for (int exponent = -320; exponent <= 308; exponent += 13) {
            double power = Double.parseDouble("1e" + exponent);
            line(to, power);
            line(to, Math.nextUp(power));
            line(to, Math.nextDown(power));
        }
        for (int exponent = -1074; exponent <= 1023; exponent += 41) line(to, Math.scalb(1.0, exponent));
        String[] decimals = {
            "0", "0.0", "0.00", "1", "-1", "1.0", "100", "1E+2", "1E2", "1E+10", "1.23E-5", "0.000001", "0.0000001", "-0.0000001", "1.5E-7", "123456789012345678901234567890.123", "-12.340", "1e-10", "0E-10", "0E+3",
            "99999999999999999999", "-99999999999999999999E-30",
        };
        for (String text : decimals) {
            BigDecimal decimal = new BigDecimal(text);
            to.line("unscaled", decimal.unscaledValue().toString(), "scale", decimal.scale(), "text", decimal.toString(), "plain", decimal.toPlainString());
        }
    }

    private static void line(Vectors to, double number) throws Exception {
        to.line("f64", String.format("%016x", Double.doubleToLongBits(number)), "text", Double.toString(number));
    }

    private static void line(Vectors to, float number) throws Exception {
        to.line("f32", String.format("%08x", Float.floatToIntBits(number)), "text", Float.toString(number));
    }
}
